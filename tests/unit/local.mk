# Unit tests stand in tests/unit/ROOM and are built by the local.mk of their room.
EXTRA_DIST += tests/unit/tap.h
