# Harnesses are built by the local.mk of the room whose parser they try.
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c
FUZZ_LIBS = tests/fuzz/libreplay.a
