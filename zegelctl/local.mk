sbin_PROGRAMS += zegelctl/zegelctl
zegelctl_zegelctl_SOURCES = zegelctl/key.c zegelctl/key.h zegelctl/zegelctl.c
zegelctl_zegelctl_LDADD = $(CRYPT_LIBS) $(CONF_LIBS) $(BASE_LIBS)
dist_man_MANS += man/zegelctl.8
