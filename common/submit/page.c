#include "common/submit/page.h"

#include "common/base/error.h"
#include "common/submit/curl.h"

/* Nothing of the page is wanted. */
static size_t
pass_over(char *bytes, size_t size, size_t count, void *data)
{
  (void) bytes;
  (void) data;
  return size * count;
}

static void
set_options(const Curl *lib, CURL *curl, const char *url, guint timeout_ms)
{
  lib->easy_setopt(curl, CURLOPT_URL, url);
  lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
  lib->easy_setopt(curl, CURLOPT_PROXY, "");
  lib->easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  lib->easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  lib->easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  lib->easy_setopt(curl, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  lib->easy_setopt(curl, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  lib->easy_setopt(curl, CURLOPT_USERAGENT, "zegel-probe");
  lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) timeout_ms);
  lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, pass_over);
}

gboolean
page_look(const char *url, guint timeout_ms, guint *status, GError **error)
{
  long answer = 0;
  const Curl *lib = curl_load(error);
  if (lib == NULL)
    return FALSE;
  CURL *curl = lib->easy_init();
  if (curl == NULL)
    g_error("out of memory");
  set_options(lib, curl, url, timeout_ms);
  CURLcode code = lib->easy_perform(curl);
  lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
  lib->easy_cleanup(curl);
  *status = (guint) answer;
  if (code == CURLE_OK)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s", lib->easy_strerror(code));
  return FALSE;
}
