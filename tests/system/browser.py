"""A recipient's browser without JavaScript: cookies, redirects, forms, links."""
import html.parser
import http.client
import http.cookies
import re
import secrets
import urllib.parse

from harness import ENV, note, tls_context

REDIRECTS_MAX = 5
SECRET_CHARS = 16


class Form:
    """A form: .action, .method, .fields (name to value), .buttons [(name, value, words)];
    .enctype, and .files, the names of its fields for files."""

    def __init__(self, attributes):
        self.action = attributes.get("action", "")
        self.method = attributes.get("method", "get").lower()
        self.enctype = attributes.get("enctype", "application/x-www-form-urlencoded")
        self.files = []
        self.fields = {}
        self.buttons = []


class _Reader(html.parser.HTMLParser):
    """Collects the words, links and forms of a page."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.words, self.links, self.forms = [], [], []
        self.hidden = 0
        self.button = None
        self.area = None

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag in ("script", "style", "head"):
            self.hidden += 1
        elif tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "form":
            self.forms.append(Form(attributes))
        elif tag == "input" and self.forms:
            self._input(attributes)
        elif tag == "textarea" and self.forms:
            self.area = [attributes["name"], ""]
        elif tag == "button" and self.forms:
            self.button = [attributes.get("name"), attributes.get("value", ""), ""]

    def _input(self, attributes):
        if attributes.get("type") == "submit":
            self.forms[-1].buttons.append((attributes.get("name"), attributes.get("value", ""),
                                           attributes.get("value", "")))
        elif attributes.get("type") == "file":
            self.forms[-1].files.append(attributes["name"])
        elif attributes.get("type") == "checkbox" and "checked" not in attributes:
            pass  # who wants it gives it
        elif "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")

    def handle_endtag(self, tag):
        if tag in ("script", "style", "head"):
            self.hidden -= 1
        elif tag == "textarea" and self.area:
            name, text = self.area
            self.forms[-1].fields[name] = text[1:] if text.startswith("\n") else text
            self.area = None
        elif tag == "button" and self.button:
            self.forms[-1].buttons.append(tuple(self.button))
            self.button = None

    def handle_data(self, data):
        if self.button:
            self.button[2] += data
        if self.area:
            self.area[1] += data
        if not self.hidden:
            self.words.append(data)


class Page:
    """An answer: .status, .headers (lower case), .body, .url; .text, .links, .forms."""

    def __init__(self, status, headers, body, url):
        self.status, self.headers, self.body, self.url = status, headers, body, url
        self.text, self.links, self.forms = "", [], []
        if headers.get("content-type", "").startswith("text/html"):
            reader = _Reader()
            reader.feed(body.decode("utf-8"))
            self.text = re.sub(r"\s+", " ", " ".join(reader.words)).strip()
            self.links, self.forms = reader.links, reader.forms

    def form(self, words=""):
        """The one form with field, action or button text that contains WORDS."""
        found = [form for form in self.forms if words in form.action or words in form.fields
                 or any(words in button[2] for button in form.buttons)]
        assert len(found) == 1, "%d forms for %r on: %s" % (len(found), words, self.text)
        return found[0]


class Browser:
    """Keeps cookies by host. Asks get(), posts() and submits forms with submit()."""

    def __init__(self, language="nl"):
        self.language = language
        self.cookies = {}

    def request(self, method, url, body=None, headers=None):
        """One request, without following a redirect."""
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, parts.port or 443, timeout=120,
                                                     context=tls_context())
        else:
            connection = http.client.HTTPConnection(host, parts.port or 80, timeout=120)
        sent = {"Accept": "text/html,*/*", "Accept-Language": self.language,
                "User-Agent": "zegel system test"}
        if self.cookies.get(host):
            sent["Cookie"] = "; ".join("%s=%s" % item for item in self.cookies[host].items())
        sent.update(headers or {})
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, path or "/", body, sent)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        self._keep(host, answer.msg.get_all("Set-Cookie") or [])
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Page(answer.status, names, data, url)

    def _keep(self, host, lines):
        jar = self.cookies.setdefault(host, {})
        for line in lines:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    jar.pop(name, None)
                else:
                    jar[name] = morsel.value
                    if len(morsel.value) >= SECRET_CHARS:  # not that of the language
                        note("session", morsel.value)

    def _follow(self, page):
        for _ in range(REDIRECTS_MAX):
            if page.status not in (301, 302, 303, 307, 308):
                return page
            page = self.request("GET", urllib.parse.urljoin(page.url, page.headers["location"]))
        raise AssertionError("too many redirects to " + page.url)

    def get(self, url):
        return self._follow(self.request("GET", url))

    def submit(self, page, form, button=None, files=(), **values):
        """Submits FORM of PAGE with VALUES in its fields; the first button unless given.

        FILES are (file name, bytes) or (file name, bytes, type), for its field for files.
        """
        fields = dict(form.fields, **values)
        button = button or (form.buttons[0] if form.buttons else (None, "", ""))
        if button[0]:
            fields[button[0]] = button[1]
        url = urllib.parse.urljoin(page.url, form.action)
        data = urllib.parse.urlencode(fields)
        if form.method != "post":
            return self.get(url.split("?")[0] + "?" + data)
        kind = form.enctype
        if kind == "multipart/form-data":
            chosen = [tuple(one) for one in files] or [("", b"")]  # as browsers do
            kind, data = multipart(fields, [(form.files[0],) + one for one in chosen])
        else:
            assert not files, "this form takes no files"
        origin = "%s://%s" % urllib.parse.urlsplit(url)[:2]
        return self._follow(self.request("POST", url, data, {
            "Content-Type": kind, "Origin": origin,
            "Referer": page.url, "Sec-Fetch-Site": "same-origin"}))


def multipart(fields, files=()):
    """(content type, body) of a form with FIELDS (a dictionary, or pairs) and FILES: (field,
    file name, bytes[, type]). As browsers write it (HTML, 4.10.21.8)."""
    boundary = "----formboundary" + secrets.token_hex(12)
    pairs = fields.items() if hasattr(fields, "items") else fields
    body = b""
    for name, value in pairs:
        value = value.encode() if isinstance(value, str) else value
        value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        body += (b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                 % (boundary.encode(), name.encode(), value))
    for field, name, content, *kind in files:
        name = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        body += (b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
                 b"Content-Type: %s\r\n\r\n%s\r\n"
                 % (boundary.encode(), field.encode(), name.encode(),
                    (kind[0] if kind else "application/octet-stream").encode(), content))
    return ("multipart/form-data; boundary=" + boundary,
            body + b"--%s--\r\n" % boundary.encode())


def link_in(mail):
    """The link to the viewer in a notification."""
    base = ENV["LAB_VIEWER_URL"]
    found = set(re.findall(r"https?://[^\s<>\"]+/l/[\w-]+", mail.text()))
    assert len(found) == 1, "not one link in: %s" % mail.text()
    link = found.pop()
    assert link.startswith(base) or part_of_us(link), link
    return link


def part_of_us(link):
    """Whether LINK leads to the viewer of one of our organisations."""
    return urllib.parse.urlsplit(link).hostname in (
        "veilig." + ENV["LAB_OWN"], "veilig." + ENV["LAB_OWN2"])
