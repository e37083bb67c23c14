noinst_LIBRARIES += common/db/libdb.a
common_db_libdb_a_SOURCES = \
	common/db/copy.c \
	common/db/db.c common/db/db.h \
	common/db/internal.h \
	common/db/schema.c
common_db_libdb_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

DB_LIBS = common/db/libdb.a $(SQLITE_LIBS)
