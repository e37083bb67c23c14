/*
 * report.h - a report of zegelctl as a PDF: it says what stands where, and the fonts are
 * here.
 */
#pragma once

#include <glib.h>

#include "reader/pdf.h"

#define REPORT_MAX_COLUMNS 12

/*
 * The LEN bytes at BYTES, a block of attributes (attr.h, ATTR_ESCAPED), as a tagged PDF in
 * LANGUAGE: title, author, then in their order heading, text, caption (of a table),
 * columns, row and total (cells, with a tab between them; as many as there are columns).
 * NULL when it is no such block, is larger than a block or has too many pages. Needs
 * paper_init.
 */
GByteArray *
report_pdf_new(const char *bytes, gsize len, PdfLanguage language);
