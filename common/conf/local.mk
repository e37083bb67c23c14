noinst_LIBRARIES += common/conf/libconf.a
common_conf_libconf_a_SOURCES = \
	common/conf/conf.c common/conf/conf.h \
	common/conf/schema.c common/conf/schema.h

CONF_LIBS = common/conf/libconf.a
