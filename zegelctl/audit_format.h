/*
 * audit_format.h - records of the audit trail as CSV, JSON and lines for people. Pure.
 *
 * CSV and JSON hold the same: every attribute of a record under its own name, and besides
 * these "record", its number, and "erased". Values are those of the record, byte for byte;
 * CSV puts a "'" before one that a spreadsheet could take for a formula.
 */
#pragma once

#include "common/audit/trail.h"

/* Appends the names of the columns, which are always the same: one line of CSV (RFC 4180).
 * The last one, "more", has the pairs that have no column of their own. */
void
audit_append_csv_head(GString *out);

/* Appends RECORD as a line of CSV. */
void
audit_append_csv(GString *out, const TrailRecord *record);

/* Appends RECORD as one line with one JSON object: "record" a number, "erased" true or
 * false, all else strings. */
void
audit_append_json(GString *out, const TrailRecord *record);

/* Appends the head that belongs to audit_append_text. */
void
audit_append_text_head(GString *out);

/* Appends RECORD for people: in one line, or, when WRAPPED, in as many as a terminal needs.
 * The time is local. What steers a terminal becomes '?'. */
void
audit_append_text(GString *out, const TrailRecord *record, gboolean wrapped);

/* AT_US as "2026-11-22 14:30:00 +0100", local; a new string. */
char *
audit_format_time(gint64 at_us);

/* The first value of KEY in ATTRS; NULL when there is none or it is erased or sealed. */
const char *
audit_value(const Attrs *attrs, const char *key);
