"""zegelctl doctor: each mistake of Postfix and of the world around it is named, with its cure."""
import contextlib
import json
import os
import re
import shutil

import harness as lab
from doctor import (both, doctor, edited, findings, good_domains, is_found, is_good, kept, main,
                    master, postconf, written)
from test_zegelctl import zegelctl

QUEUE = "/var/spool/postfix"
PIECES = os.path.join(lab.ENV["LAB_PREFIX"], "share/zegel/postfix")
PATTERNS = "/etc/postfix/van-ons"  # a table of the site with patterns
OUTSIDE = "iemand@" + lab.part("outsider")
KEYS = "{ unix:zegel/milter.sock, default_action=tempfail }"

# The checks of Postfix and of the world: those of this test's own part.
AREAS = ("postfix-", "message-", "mailbox-", "tls-", "socket-", "milter-", "transport-",
         "service-", "label-", "proxy-", "tables-", "alias-", "copies", "filter-", "header-",
         "resolver-", "domain-")


def plant(rows):
    """For each row (id, mistake, what, cure): the check finds nothing, then the mistake."""
    for name, mistake, what, cure, *state in rows:
        is_good(name)
        with mistake:
            is_found(name, state[0] if state else "wrong", what, cure)


def pattern(text, *settings):
    """A table of the site with patterns, and main.cf with SETTINGS."""
    return both(written(PATTERNS, text), main(*settings))


@contextlib.contextmanager
def missing(path):
    """There is no file PATH."""
    with kept(path):
        os.unlink(path)
        yield


# ---- A good installation --------------------------------------------------------------

def test_a_good_installation_has_no_finding():
    """The lab, once all its domains have keys: doctor finds nothing, and says so."""
    with good_domains():
        status, found = doctor()
        ours = [one for one in found if one["id"].startswith(AREAS)]
        assert len(ours) >= 40, len(ours)
        assert all(one["state"] == "good" and not one["cure"] for one in ours), \
            [one for one in ours if one["state"] != "good"]
        status, text, _ = zegelctl("doctor", "alias-local", "resolver-validates")
        assert status == 0 and text.startswith("good: 2, wrong: 0"), text


def test_it_changes_nothing():
    """Neither Postfix's files nor zegel's are others after doctor."""
    def state():
        return lab.command("sh", "-c", "cd / && find etc/postfix etc/resolv.conf %s "
                           "var/spool/postfix/etc -type f -exec sha256sum {} + | sort" %
                           os.path.join(lab.ENV["LAB_SYSCONFDIR"], "zegel").lstrip("/"))
    before = state()
    doctor()
    assert before and state() == before


def test_words_and_statuses():
    """Text says what, and the cure; an unknown check and a caller without rights are told."""
    with main("milter_protocol=2"):
        status, text, _ = zegelctl("doctor", "milter-protocol")
        assert status == 1 and "wrong" in text and "milter_protocol is 2" in text, text
        assert "cure: " in text and '"postconf -X milter_protocol"' in text, text
        assert "good: 0, wrong: 1" in text, text
    status, text, _ = zegelctl("doctor", "--all", "milter-protocol")
    assert status == 0 and "good     Postfix speaks" in text, text
    status, _, errors = zegelctl("doctor", "milter-nothing")
    assert status == 64 and "zegel-doctor(7)" in errors, (status, errors)
    lab.command("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
                "zegelctl", "doctor", status=77)


# ---- Postfix --------------------------------------------------------------------------

def test_postfix_itself():
    """Not set up, not running, with known faults, without types of tables."""
    plant([
        ("postfix-setup", postconf("-X", "zegel_milter"), "has no zegel_milter",
         "zegelctl setup"),
        ("postfix-running", lab.without("postfix"), "does not run", "systemctl start postfix"),
        # Nobody has another Postfix for us: this is what an old one says of itself.
        ("postfix-version", main("mail_version=3.7.5"), "SMTP smuggling", "newest"),
        ("postfix-version", main("mail_version=3.6.14"), "3.7 or later", "install"),
        ("postfix-end-of-data", main("smtpd_end_of_data_restrictions=reject_unauth_pipelining"),
         "passes no milter", "smtpd_data_restrictions"),
        ("postfix-types", edited("/etc/postfix/dynamicmaps.cf",
                                 lambda text: text.replace("sqlite", "sqlight")),
         "no tables of type sqlite", "postfix-sqlite"),
    ])


def test_names_and_services():
    """Names of main.cf and services of master.cf that are missing or are others."""
    plant([
        ("postfix-names", postconf("-X", "zegel_generic_maps"), "no zegel_generic_maps",
         "main.cf.zegel"),
        ("postfix-services", postconf("-MX", "zegel-again/unix"),
         "no service zegel-again", "master.cf.zegel"),
        ("postfix-services", missing(PIECES + "/master.cf.zegel"), "master.cf.zegel",
         "install zegel again", "unknown"),
        ("postfix-services", master("127.0.0.1:10028/inet/content_filter="),
         "content_filter=, not content_filter=zegel-again", "postconf -P"),
        ("postfix-services", postconf("-PX", "zegel-direct/unix/smtp_generic_maps"),
         "no smtp_generic_maps", r"postconf -P 'zegel-direct/unix/smtp_generic_maps=\$zegel"),
    ])
    with postconf("-P", "127.0.0.1:10028/inet/content_filter=zegel-again:[127.0.0.1]:20027"):
        is_good("postfix-services")


def test_own_mail():
    """The port that zegel brings its own mail to is not there, or refuses it."""
    plant([
        ("postfix-own-mail", lab.configured("deliver", "submit", "smtp://127.0.0.1:2525"),
         "smtp://127.0.0.1:2525, but master.cf has", "smtp://" + lab.ENV["LAB_MAIL_ADDR"]),
        ("postfix-own-mail", main("zegel_submit_networks=127.0.0.0/8 [::1]/128"),
         "does not have " + lab.ENV["LAB_MAIL_ADDR"],
         "zegel_submit_networks=%s 127" % lab.ENV["LAB_MAIL_ADDR"]),
    ])


def test_another_instance():
    """What is said of another Postfix begins with its directory, and so do its commands."""
    two = "/etc/postfix-twee"
    shutil.copytree("/etc/postfix", two)
    try:
        lab.command("postconf", "-c", two, "-e", "smtpd_forbid_bare_newline=no")
        status, text, _ = zegelctl("doctor", "--json", "--instance", two, "postfix-newlines")
        found = json.loads(text)[0]
        assert status == 1 and found["what"].startswith(two + ": smtpd_forbid"), found
        assert "postconf -c %s -e smtpd_forbid_bare_newline=yes" % two in found["cure"], found
        assert "postfix -c %s reload" % two in found["cure"], found
        is_good("postfix-newlines")
        status, _, errors = zegelctl("doctor", "--instance", "/etc/postfix-drie")
        assert status == 78 and "no Postfix in /etc/postfix-drie" in errors, (status, errors)
    finally:
        shutil.rmtree(two)


def test_settings():
    """Limits that do not fit, and Postfix's defaults that do not do."""
    plant([
        ("message-size", main("message_size_limit=10240000"), "messages that are allowed",
         "message_size_limit=52428800"),
        ("message-size", main("message_size_limit=0"), "no limit", "message_size_limit="),
        ("mailbox-size", main("mailbox_size_limit=51200000"), "less than message_size_limit",
         "mailbox_size_limit=0"),
        ("postfix-settings", main("enable_long_queue_ids=no"), "enable_long_queue_ids is no",
         "enable_long_queue_ids=yes", "warning"),
        ("postfix-settings", main("delay_warning_time=0h"), "hears after days",
         "delay_warning_time=4h", "warning"),
        ("postfix-newlines", main("smtpd_forbid_bare_newline=no"), "SMTP smuggling",
         "smtpd_forbid_bare_newline=yes"),
    ])


def test_tls():
    """TLS below 1.2, none where it is needed, nothing to verify with."""
    plant([
        ("tls-floor", master("zegel-direct/unix/smtp_tls_mandatory_protocols=>=TLSv1"),
         "zegel-direct is \">=TLSv1\"", ">=TLSv1.2"),
        ("tls-floor", master("zegel-prefer/unix/smtp_tls_security_level=may"),
         "zegel-prefer is may", "dane-only"),
        ("tls-floor", master("submission/inet/smtpd_tls_mandatory_protocols=!SSLv3,!TLSv1"),
         "service submission", ">=TLSv1.2"),
        ("tls-mailboxes", main("virtual_transport=lmtp:inet:[203.0.113.25]:24"),
         "virtual_transport brings mail to lmtp:inet:.203.0.113.25",
         "lmtp_tls_policy_maps", "warning"),
        ("tls-mailboxes", main("mailbox_transport=relay:[203.0.113.25]"),
         "mailbox_transport brings mail to relay", "smtp_tls_policy_maps", "warning"),
        ("tls-offered", master("submission/inet/smtpd_tls_security_level=may"), "without TLS",
         "encrypt"),
        ("tls-offered", main("smtpd_tls_security_level=none"), "service smtp .* no TLS", "=may"),
        ("tls-authorities", main("zegel_tls_CAfile=/etc/ssl/weg.crt"), "is not there",
         "ca-certificates"),
        ("tls-certificates", main("smtpd_tls_ask_ccert=no"), "smtpd_tls_ask_ccert is no",
         "smtpd_tls_ask_ccert=yes", "warning"),
    ])
    for setting in ("lmtp:unix:private/dovecot-lmtp", "lmtp:inet:[127.0.0.1]:24"):
        with main("virtual_transport=" + setting):
            is_good("tls-mailboxes")
    with both(main("virtual_transport=lmtp:inet:[203.0.113.25]:24"),
              master("lmtp/unix/lmtp_tls_security_level=encrypt")):
        is_good("tls-mailboxes")
    with main("mailbox_transport=relay:[203.0.113.25]",
              "smtp_tls_policy_maps=inline:{{[203.0.113.25] = secure}}"):
        is_good("tls-mailboxes")


# ---- Sockets and milters --------------------------------------------------------------

@contextlib.contextmanager
def owned(path, group, mode):
    """PATH is of GROUP and has MODE."""
    before = os.stat(path)
    try:
        lab.command("chgrp", group, path)
        os.chmod(path, mode)
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


def test_sockets():
    """Postfix looks elsewhere, may not, or nobody is there."""
    away = "{ unix:%s/zegel/milter.sock, default_action=tempfail }" % QUEUE
    plant([
        ("socket-chroot", main("zegel_milter=" + away),
         r"in the chroot .* opens %s%s/zegel/milter.sock" % (QUEUE, QUEUE),
         "unix:zegel/milter.sock"),
        ("socket-group", owned(QUEUE + "/zegel/deliver.sock", "root", 0o660),
         "deliver.sock .* cannot be used by group postfix", "restart zegel-deliver"),
        ("socket-group", owned(QUEUE + "/zegel", "zegel-store", 0o2750), "not of group postfix",
         "chown root:postfix"),
        ("socket-group", owned(QUEUE + "/zegel", "postfix", 0o2777), "everybody may write",
         "chmod 2750"),
        ("socket-reach", owned(QUEUE + "/zegel", "zegel-store", 0o2750),
         "cannot connect to zegel-milter .*Permission denied", "chown root:postfix"),
        ("socket-reach", lab.without("milter"), "cannot connect to zegel-milter ",
         "systemctl restart zegel-milter"),
        ("socket-reach", lab.without("deliver", kill=True), "nobody listens",
         "systemctl restart zegel-deliver"),
        ("socket-ask", edited("/etc/group", lambda text: text.replace(",zegel-mx", "")),
         "zegel-mx, the user of zegel-milter-mx, cannot connect .*Permission denied",
         "adduser zegel-mx postfix"),
        ("socket-ask", edited("/etc/group", lambda text: re.sub(
            r"(?m)^(zegel-store:.*),zegel-viewer", r"\1", text)),
         "user of zegel-viewer, cannot connect", "adduser zegel-viewer zegel-store"),
        ("socket-ask", lab.without("policyd"), "cannot connect",
         "systemctl restart zegel-policyd"),
    ])


def test_who_is_asked():
    """Services that ask nobody, or the wrong milter; milters that let mail pass."""
    plant([
        ("milter-asked", master("smtp/inet/smtpd_milters="), "service smtp .* ordinary mail",
         r"smtp/inet/smtpd_milters=\$zegel_mx_milters"),
        ("milter-asked", master("submission/inet/receive_override_options=no_milters"),
         "has no_milters", "take no_milters out"),
        ("milter-asked", master("submission/inet/smtpd_milters=$zegel_mx_milters"),
         "which has no keys", r"submission/inet/smtpd_milters=\$zegel_smtpd_milters"),
        ("milter-asked", main("non_smtpd_milters="), "sendmail", r"\$zegel_milter first"),
        ("milter-asked", master("smtp/inet/smtpd_milters=$zegel_milter"), "has keys",
         "zegel_mx_milters", "warning"),
        ("milter-action", main("zegel_milter={ unix:zegel/milter.sock, default_action=accept }"),
         "leaves in the clear", "default_action=tempfail"),
        ("milter-action", main("zegel_mx_milter=unix:zegel/milter-mx.sock",
                               "milter_default_action=accept"),
         "milter-mx.sock at service smtp .* accept", "default_action=tempfail"),
        ("milter-action", edited("/etc/postfix/zegel_milter_clients",
                                 lambda text: text.replace("=tempfail", "=accept")),
         "zegel_milter_clients is accept", "default_action=tempfail"),
    ])


def test_other_milters_and_filters():
    """A signer before ours, clients that are forgotten, a proxy, an old protocol."""
    plant([
        ("milter-order", master("submission/inet/smtpd_milters=inet:127.0.0.1:8891,"
                                "$zegel_smtpd_milters"),
         "127.0.0.1:8891 signs at service submission", "first"),
        ("milter-order", main("non_smtpd_milters=unix:opendkim/opendkim.sock $zegel_milter"),
         "opendkim.sock signs at non_smtpd_milters", "first"),
        ("milter-clients", edited("/etc/postfix/zegel_milter_clients",
                                  lambda text: text.replace(lab.ENV["LAB_SYSTEM_NET"],
                                                            "203.0.113.0/32")),
         lab.ENV["LAB_SYSTEM_NET"] + " stands in networks", "zegel_milter_clients"),
        ("milter-clients", master("smtp/inet/smtpd_milter_maps="), "Z-O4-INSTANCE",
         "zegel_milter_maps"),
        ("milter-proxy-filter", master("smtp/inet/smtpd_proxy_filter=127.0.0.1:10025"),
         "sees no subject", "as a milter"),
        ("milter-protocol", main("milter_protocol=2"), "needs version 6",
         "postconf -X milter_protocol"),
    ])
    for off in ("inet", "smtp/inet"):
        with both(master("smtp/inet/smtpd_milters="), main("master_service_disable=" + off)):
            is_good("milter-asked")
    with master("submission/inet/smtpd_milters=$zegel_smtpd_milters,inet:127.0.0.1:8891"):
        is_good("milter-order")


# ---- Tables ---------------------------------------------------------------------------

def test_where_labelled_mail_goes():
    """Our tables are missing, hidden, or not indexed."""
    plain = "hash:/etc/postfix/zegel_transport $zegel_service"
    routes = "proxy:sqlite:/etc/postfix/zegel-routes.cf"
    domain = "veilig." + lab.part("own")
    plant([
        ("transport-tables", main("transport_maps=" + plain), "no promise", "zegel-routes.cf"),
        ("transport-tables", main("transport_maps=%s $zegel_service" % routes), "second line",
         "zegel_transport"),
        ("transport-hidden", pattern("/./ smtp:[192.0.2.99]\n",
                                     "transport_maps=regexp:%s %s %s" % (PATTERNS, routes, plain)),
         "van-ons stands before .* label viewer to \"smtp:.192.0.2.99", "first"),
        ("transport-hidden", main("transport_maps=static:smtp:[192.0.2.99] %s" % routes),
         "static:.* label seal", "first"),
        ("service-domain", written("/etc/postfix/transport", domain + " smtp:[192.0.2.99]\n"),
         "goes to \"smtp:.192.0.2.99.\" by texthash", "zegel_service"),
        ("service-domain", main("transport_maps=%s hash:/etc/postfix/zegel_transport" % routes),
         "goes to \"its MX\"", "zegel_service"),
        ("service-domain", main("relay_domains="), "relay_domains does not have", "relay_domains"),
        ("service-domain", edited("/etc/postfix/main.cf",
                                  lambda text: text.replace("mydestination =",
                                                            "mydestination = %s," % domain)),
         "stands in mydestination", "take it out of mydestination"),
        ("tables-indexed", edited("/etc/postfix/zegel_transport", lambda text: text + "# x\n"),
         "changed after it was indexed", "postmap hash:/etc/postfix/zegel_transport"),
    ])
    with kept("/etc/postfix/zegel_access.db"):
        os.unlink("/etc/postfix/zegel_access.db")
        is_found("tables-indexed", "wrong", "zegel_access has no index", "postmap hash:")
        is_found("label-guard", "unknown", "cannot be asked", "")


def test_who_may_make_labels():
    """Labels from outside, label domains that are nobody's, tables that proxymap refuses."""
    guard = "check_recipient_access hash:/etc/postfix/zegel_access"
    plant([
        ("label-domains", main("virtual_mailbox_domains=" + lab.part("own")), "relayhost",
         "zegel_domains"),
        ("label-guard", main("smtpd_recipient_restrictions=permit_mynetworks, " + guard),
         "permits before it rejects", "zegel_access stand first"),
        ("label-guard", master("submission/inet/smtpd_recipient_restrictions="),
         "service submission", "zegel_access stand first"),
        ("proxy-read-maps", main("proxy_read_maps=$transport_maps"),
         "zegel-tls.cf: proxymap refuses", "proxy_read_maps="),
    ])


def test_aliases():
    """Aliases that go past zegel, or stand in its way."""
    more = written("/etc/postfix/virtual2", "info@%s %s\n" % (lab.part("own"), OUTSIDE))
    every = "/^(.*)@.*$/ $1@%s\n" % lab.part("own")
    plant([
        ("alias-tables", both(more, main("virtual_alias_maps=$zegel_site_alias_maps "
                                         "texthash:/etc/postfix/virtual2")),
         r"virtual2 stands in virtual_alias_maps, but not .*\(info@\S+ lead outside now\)",
         "zegel_site_alias_maps"),
        ("alias-labels", pattern(every, "canonical_maps=regexp:" + PATTERNS),
         "van-ons of canonical_maps turns", "endif"),
        ("alias-labels", pattern(every, "zegel_site_alias_maps=regexp:" + PATTERNS),
         "virtual_alias_maps turns", "endif"),
        ("alias-outside", edited("/etc/postfix/virtual",
                                 lambda text: text + "%s %s\n" % (OUTSIDE, OUTSIDE)),
         "turns %s, an address outside, into itself" % OUTSIDE, "take this line out"),
        ("alias-local", postconf("-PX", "local/unix/cleanup_service_name"),
         r"leads outside leaves in the clear \(.*lijst.* lead outside now\)",
         "postconf -P 'local/unix/cleanup_service_name=zegel-seal'"),
    ])
    with pattern("if !/\\.zegel\\.internal$/\n" + every + "endif\n",
                 "canonical_maps=regexp:" + PATTERNS):
        is_good("alias-labels")


def test_copies_filters_and_redirects():
    """What leads outside behind the milter's back."""
    access = written("/etc/postfix/toegang", "info@%s REDIRECT %s\n" % (lab.part("own"), OUTSIDE))
    plant([
        ("copies", main("recipient_bcc_maps=texthash:/etc/postfix/bcc"),
         r"no milter sees .*\(dossier@\S+ lead outside now\)",
         "pipemap:{texthash:/etc/postfix/bcc, regexp:"),
        ("copies", main("always_bcc=archief@" + lab.part("own")), "get no label",
         "always_bcc=archief@%s.own.zegel.internal" % lab.part("own")),
        ("filter-outside", main("content_filter=smtp:[203.0.113.25]:10024"), "another machine",
         "as a milter"),
        ("filter-outside", master("smtp/inet/content_filter=scan:[203.0.113.25]"),
         "of service smtp", "as a milter"),
        ("filter-outside", pattern("/^Subject:/ FILTER smtp:[203.0.113.25]:25\n",
                                   "header_checks=regexp:" + PATTERNS),
         "to the filter smtp:.203.0.113.25", "take the line out"),
        ("filter-outside", pattern("/^Subject:/ BCC %s\n" % OUTSIDE,
                                   "header_checks=regexp:" + PATTERNS),
         "copies mail to " + OUTSIDE, "recipient_bcc_maps"),
        ("filter-outside",
         both(access, main("smtpd_sender_restrictions=check_recipient_access "
                           "texthash:/etc/postfix/toegang")),
         "redirects mail to " + OUTSIDE, "an address here"),
        ("header-ticket", pattern("/^X-/ IGNORE\n", "header_checks=regexp:" + PATTERNS),
         "does IGNORE to X-Zegel-Ticket", "zegel_header_keep"),
    ])
    for setting in ("content_filter=scan:[127.0.0.1]:10024", "content_filter=scan",
                    "content_filter=lmtp:unix:scan/socket"):
        with main(setting):
            is_good("filter-outside")
    with both(postconf("-M", "filter/unix=filter unix - n n - - pipe user=nobody argv=/bin/cat"),
              main("content_filter=filter:dummy")):
        is_good("filter-outside")
    with pattern("/^X-/ IGNORE\n",
                 "header_checks=regexp:/etc/postfix/zegel_header_keep, regexp:" + PATTERNS):
        is_good("header-ticket")


# ---- The world ------------------------------------------------------------------------

@contextlib.contextmanager
def plain_resolver():
    """A resolver that does not validate runs."""
    lab.control("start", "unbound-plain")
    try:
        yield
    finally:
        lab.control("stop", "unbound-plain")


def test_resolvers():
    """One that is elsewhere, does not validate, is silent; another one in the chroot."""
    plain = lab.ENV["LAB_PLAIN_RESOLVER"]
    plant([
        ("resolver-loopback", written("/etc/resolv.conf", "nameserver 192.0.2.53\n"),
         "names 192.0.2.53", "unbound"),
        ("resolver-validates",
         both(plain_resolver(), written("/etc/resolv.conf", "nameserver %s\n" % plain)),
         plain + " does not validate", "unbound"),
        ("resolver-validates", written("/etc/resolv.conf", "nameserver 127.0.0.9\n"),
         "127.0.0.9 gives no answer", "restart unbound"),
        ("resolver-validates", both(plain_resolver(),
                                    lab.configured("policyd", "resolver", plain)),
         plain + " does not validate", "unbound"),
        ("resolver-chroot", written(QUEUE + "/etc/resolv.conf", "nameserver 192.0.2.53\n"),
         "names \"192.0.2.53\"", "cp /etc/resolv.conf " + QUEUE),
        ("resolver-chroot", missing(QUEUE + "/etc/resolv.conf"), "chroot",
         "cp /etc/resolv.conf"),
    ])


def test_records_of_our_domains():
    """SPF without our relay, DKIM that is missing or another, DMARC none."""
    own = lab.part("own")
    key = lab.ENV["LAB_SELECTOR"] + "._domainkey"

    def without_key(text):
        return "\n".join(line for line in text.split("\n") if not line.startswith(key + " "))

    def revoked(text):
        return without_key(text) + key + ' TXT "v=DKIM1; k=rsa; p="\n'

    with good_domains():
        plant([
            ("domain-spf", lab.zone("own", lambda text: text.replace(
                '@ TXT "v=spf1 mx', '@ TXT "v=spf1 ip4:203.0.113.7')),
             "SPF of %s says fail to %s" % (own, lab.ENV["LAB_MAIL_ADDR"]),
             "ip4:" + lab.ENV["LAB_MAIL_ADDR"]),
            ("domain-dkim", lab.zone("own", without_key), "of %s: not published" % own,
             "zegelctl dkim show " + own),
            ("domain-dkim", lab.zone("own", revoked), "revoked", "zegelctl dkim show"),
            ("domain-dmarc", lab.zone("own", lambda text: text.replace("p=quarantine", "p=none")),
             "policy of %s is none" % own, "p=quarantine", "warning"),
            ("domain-dmarc", lab.zone("own", lambda text: text.replace("_dmarc", "_oud")),
             "%s has no DMARC record" % own, "p=quarantine", "warning"),
        ])
        with lab.without("policyd"):
            is_found("domain-spf", "unknown", "zegel-policyd gives no answer",
                     "restart zegel-policyd")
    status, found = findings("domain-dkim")
    assert status == 1 and any(lab.part("own2") in one["what"] and "no key signs" in one["what"]
                               and "dkim generate" in one["cure"] for one in found), found
