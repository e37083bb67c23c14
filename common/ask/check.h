/*
 * check.h - a domain checked rule by rule, and how that travels from policyd (N3).
 *
 * Readiness itself is decided by these lines (policyd/ready.h), so that the tester and the
 * router cannot disagree. Protocol: zegel-policy(7).
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define CHECK_TEXT_MAX_BYTES 8192
#define CHECK_MAX_LINES      200

typedef enum {
  CHECK_PASS,
  CHECK_FAIL,
  CHECK_UNKNOWN /* it could not be found out now */
} CheckResult;

typedef struct {
  char *code; /* stable: "Z-N1-DATES" */
  CheckResult result;
  gboolean required; /* readiness hangs on it */
  char *title;       /* the rule, for people: "the record is valid today" */
  char *evidence;    /* what was found; may be "" */
  char *cure;        /* what to publish or do; "" when it passes */
} CheckLine;

typedef struct {
  char *domain;   /* A-labels */
  gboolean fresh; /* ask the DNS anew */
} CheckQuestion;

/* "pass", "fail", "unknown": static. */
const char *
check_result_name(CheckResult result);

/* A new line with copies; freed with check_line_free. */
CheckLine *
check_line_new(const char *code, CheckResult result, gboolean required, const char *title,
               const char *evidence, const char *cure);

/* Frees LINE; NULL is allowed. */
void
check_line_free(CheckLine *line);

/* The result of LINES (of CheckLine) as a whole: fail when a required one fails, else
 * unknown when a required one is unknown, else pass. */
CheckResult
check_lines_result(const GPtrArray *lines);

/* QUESTION as attributes (request=domain); the caller frees them. */
Attrs *
check_question_format(const CheckQuestion *question);

/* The question in ATTRS, owned by the caller, or NULL with ZEGEL_ERROR_INVALID. */
CheckQuestion *
check_question_parse(const Attrs *attrs, GError **error);

/* Frees QUESTION; NULL is allowed. */
void
check_question_free(CheckQuestion *question);

/* LINES, and whether the domain is OWN, as attributes; the caller frees them. */
Attrs *
check_answer_format(const GPtrArray *lines, gboolean own);

/* The lines in ATTRS, owned by the caller, and *OWN. NULL with ZEGEL_ERROR_INVALID, or
 * ZEGEL_ERROR_TEMPORARY when policyd says that it cannot (attribute error=TEXT). */
GPtrArray *
check_answer_parse(const Attrs *attrs, gboolean *own, GError **error);

/* Asks over the socket at PATH and returns lines as check_answer_parse, or NULL with
 * ZEGEL_ERROR_TEMPORARY after at most CHECK_TIMEOUT_MS. Any thread. */
GPtrArray *
ask_check(const char *path, const CheckQuestion *question, gboolean *own, GError **error);

#define CHECK_TIMEOUT_MS 20000 /* a person waits; policyd answers sooner */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckQuestion, check_question_free)
