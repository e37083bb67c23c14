/*
 * verify.h - what the DNS says of where a message claims to come from (N5).
 *
 * SPF of its client, the DMARC policy of its author's domain, the DKIM keys of its
 * signatures, and which of these domains are aligned with the author's (RFC 9989 4.4).
 */
#pragma once

#include "common/ask/verify.h"
#include "policyd/lookup.h"

/*
 * What LOOKUP says to QUESTION, a new answer that the caller frees. When lookup_missing
 * says that something is missing it means nothing: read again when that has come. All that
 * can be asked at once is asked at once.
 *
 * A key is absent, too, when its name has several TXT records (which one counts is not
 * specified, RFC 6376 3.6.2.2), one that is no text, or one of more than
 * VERIFY_TEXT_MAX_BYTES. When it cannot be found out whether a domain of the author's
 * organisation is aligned, the policy counts as unknown. Nobody else's DNS can cause that:
 * a domain that is not below the author's Organizational Domain is never aligned.
 */
VerifyAnswer *
verify_read(Lookup *lookup, const VerifyQuestion *question);
