/*
 * curl.h - the door to libcurl, which is loaded when it is first used.
 *
 * It brings thirty other libraries: a program that sends a mail once in a while, and starts
 * for each page as a CGI program, would spend most of its time on them. The functions are
 * called by their names, through the table.
 */
#pragma once

#define CURL_DISABLE_TYPECHECK /* the macros of curl_easy_setopt */
#include <curl/curl.h>
#include <glib.h>

typedef struct {
  CURLcode (*global_init)(long flags);
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
  CURLcode (*easy_perform)(CURL *curl);
  CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
  void (*easy_cleanup)(CURL *curl);
  const char *(*easy_strerror)(CURLcode code);
  struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
  void (*slist_free_all)(struct curl_slist *list);
} Curl;

/*
 * Loads and prepares libcurl at the first call. NULL with ZEGEL_ERROR_CONFIG when it cannot
 * be. Any thread; for the life of the process.
 */
const Curl *
curl_load(GError **error);
