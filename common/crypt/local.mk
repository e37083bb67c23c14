noinst_LIBRARIES += common/crypt/libcrypt.a
common_crypt_libcrypt_a_SOURCES = \
	common/crypt/box.c common/crypt/box.h \
	common/crypt/crypt.c common/crypt/crypt.h \
	common/crypt/key.c common/crypt/key.h \
	common/crypt/seal.c common/crypt/seal.h \
	common/crypt/ticket.c common/crypt/ticket.h
common_crypt_libcrypt_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)

CRYPT_LIBS = common/crypt/libcrypt.a $(CRYPTO_LIBS)
