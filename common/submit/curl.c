#include "common/submit/curl.h"

#include <dlfcn.h>

#include "common/base/error.h"

#define LIBRARY "libcurl.so.4"

/* Each function of the table and its name in the library. */
#define FUNCTIONS(entry)                                                                   \
  entry(global_init, "curl_global_init") entry(easy_init, "curl_easy_init")                \
      entry(easy_setopt, "curl_easy_setopt") entry(easy_perform, "curl_easy_perform")      \
          entry(easy_getinfo, "curl_easy_getinfo")                                         \
              entry(easy_cleanup, "curl_easy_cleanup")                                     \
                  entry(easy_strerror, "curl_easy_strerror")                               \
                      entry(slist_append, "curl_slist_append")                             \
                          entry(slist_free_all, "curl_slist_free_all")

static Curl curl;

static gboolean
load_functions(GError **error)
{
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  const char *missing = library == NULL ? dlerror() : NULL;
  /* POSIX lets a function's address be kept so. */
#define LOAD(field, name)                                                                  \
  if (missing == NULL &&                                                                   \
      (*(void **) (gpointer) &curl.field = dlsym(library, name)) == NULL)                  \
    missing = dlerror();
  FUNCTIONS(LOAD)
#undef LOAD
  if (missing == NULL && curl.global_init(CURL_GLOBAL_NOTHING) == CURLE_OK)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "libcurl cannot be used: %s",
              missing != NULL ? missing : "it does not start");
  return FALSE;
}

const Curl *
curl_load(GError **error)
{
  static GMutex lock;
  static gboolean loaded;
  g_mutex_lock(&lock);
  loaded = loaded || load_functions(error);
  g_mutex_unlock(&lock);
  return loaded ? &curl : NULL;
}
