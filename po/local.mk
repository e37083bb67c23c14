# Translations: English stands in the source, one .po for each other language.
# po/POTFILES lists the sources; po/check.test sees that every text of them is translated.
po/nl/LC_MESSAGES/zegel.mo: po/nl.po
	$(AM_V_GEN)$(MKDIR_P) po/nl/LC_MESSAGES && $(MSGFMT) --check-format -o $@ $<

nlmodir = $(localedir)/nl/LC_MESSAGES
nlmo_DATA = po/nl/LC_MESSAGES/zegel.mo
CLEANFILES += $(nlmo_DATA)

TESTS += po/check.test
EXTRA_DIST += po/POTFILES po/nl.po po/check.test
