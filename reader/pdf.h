/*
 * pdf.h - a message as a document to keep (V4, K3).
 */
#pragma once

#include "reader/message.h"

typedef enum {
  PDF_NL,
  PDF_EN
} PdfLanguage;

/*
 * MESSAGE as a tagged PDF with our words in LANGUAGE: subject, who and when, what there is
 * to read as text, and the name, size and SHA-256 of each attachment. Nothing in it comes
 * from elsewhere or runs, and the same message gives the same bytes. What does not fit on
 * PAPER_MAX_PAGES is left out, which it says. NULL when it cannot be made. Needs
 * paper_init.
 */
GByteArray *
pdf_new(const Message *message, PdfLanguage language);
