# The pages about zegel as a whole; a program's page is declared in its own room.
dist_man_MANS += man/zegel.7 man/zegel.conf.5 man/zegel-events.5
EXTRA_DIST += doc/architecture.md doc/decisions.md \
	doc/nl/afzender.md doc/nl/auditor.md doc/nl/ontvanger.md
