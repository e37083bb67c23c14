# internet.sh - a site as Debian makes it when "Internet Site" is chosen, and nothing was changed
# since: mailboxes of this machine's users, mail from programs on it, port 25 for the world.

SITE_UNITS="postfix.service"

site_configure()
{
  local user
  for user in janssen balie; do
    useradd --create-home "$user"
  done
  site_debian_postfix "$LAB_OWN"
}
