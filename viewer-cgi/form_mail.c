#include "viewer-cgi/form_mail.h"

#include <string.h>

#include "common/submit/letter.h"
#include "viewer-cgi/disposition.h"

/* ---- What was written ---- */

/* Each piece with its length before it, so that no two forms look alike. */
static void
hash_piece(CryptHash *hash, gconstpointer bytes, gsize len)
{
  guint64 length = GUINT64_TO_BE((guint64) len);
  crypt_hash_update(hash, &length, sizeof length);
  crypt_hash_update(hash, bytes, len);
}

static void
hash_text(CryptHash *hash, const char *text)
{
  hash_piece(hash, text, strlen(text));
}

static guint
file_count(const FormWords *words)
{
  return words->files != NULL ? words->files->len : 0;
}

void
form_mail_digest(const FormWords *words, guint8 digest[CRYPT_SHA256_BYTES])
{
  g_autoptr(CryptHash) hash = crypt_hash_new();
  hash_text(hash, words->name);
  hash_text(hash, words->phone);
  hash_text(hash, words->text);
  for (guint i = 0; i < file_count(words); i++) {
    const UploadFile *file = words->files->pdata[i];
    hash_text(hash, file->file_name);
    hash_text(hash, file->type);
    hash_piece(hash, secret_peek(file->bytes), secret_size(file->bytes));
  }
  crypt_hash_finish(hash, digest);
}

/* ---- The text ---- */

static gboolean
is_dutch(const Organisation *organisation)
{
  return strcmp(organisation->language, "nl") == 0;
}

static char *
text_nl(const FormWords *words, const char *organisation)
{
  return g_strdup_printf(
      "Dit bericht is geschreven in het webformulier van\n"
      "%s.\n"
      "\n"
      "Naam: %s\n"
      "E-mailadres: %s (gecontroleerd)\n"
      "Telefoon: %s (niet gecontroleerd)\n"
      "\n"
      "Uw antwoord op deze mail gaat beveiligd naar dit e-mailadres. Is het mobiele\n"
      "nummer van de schrijver hier nog niet bekend? Zet dan SMS en het nummer in\n"
      "het onderwerp van uw antwoord.\n"
      "\n"
      "---------- Het bericht ----------\n"
      "\n"
      "%s\n",
      organisation, words->name, words->address,
      *words->phone != '\0' ? words->phone : "niet opgegeven", words->text);
}

static char *
text_en(const FormWords *words, const char *organisation)
{
  return g_strdup_printf(
      "This message was written in the web form of\n"
      "%s.\n"
      "\n"
      "Name: %s\n"
      "E-mail address: %s (verified)\n"
      "Telephone: %s (not verified)\n"
      "\n"
      "Your answer to this mail goes to this e-mail address in a secure way. Is the\n"
      "mobile number of the writer not known here yet? Then put SMS and the number in\n"
      "the subject of your answer.\n"
      "\n"
      "---------- The message ----------\n"
      "\n"
      "%s\n",
      organisation, words->name, words->address,
      *words->phone != '\0' ? words->phone : "not given", words->text);
}

char *
form_mail_text(const FormWords *words)
{
  g_autofree char *name =
      letter_line(words->organisation->display_name, LETTER_NAME_MAX_CHARS);
  return is_dutch(words->organisation) ? text_nl(words, name) : text_en(words, name);
}

/* ---- The mail ---- */

static void
add_file(FormMail *mail, const FormWords *words, const UploadFile *file)
{
  g_autofree char *fallback = g_strdup_printf(
      "%s-%u", is_dutch(words->organisation) ? "bestand" : "file", mail->parts->len + 1);
  ComposePart part = {.name = disposition_file_name(file->file_name, fallback),
                      .type = file->type,
                      .bytes = secret_peek(file->bytes),
                      .len = secret_size(file->bytes)};
  g_ptr_array_add(mail->names, (char *) part.name);
  g_array_append_val(mail->parts, part);
}

void
form_mail_begin(FormMail *mail, const FormWords *words)
{
  const Organisation *organisation = words->organisation;
  mail->text = form_mail_text(words);
  mail->names = g_ptr_array_new_with_free_func(g_free);
  mail->parts = g_array_new(FALSE, TRUE, sizeof(ComposePart));
  for (guint i = 0; i < file_count(words); i++)
    add_file(mail, words, words->files->pdata[i]);
  mail->facts = (ComposeFacts){
      .author = words->name,
      .organisation_name = organisation->display_name,
      .service_domain = organisation->service_domain,
      .reply_to = words->address,
      .recipient = organisation->form_recipient,
      .subject = is_dutch(organisation) ? "Bericht via het webformulier"
                                        : "Message from the web form",
      .text = mail->text,
      .parts = (const ComposePart *) (gpointer) mail->parts->data,
      .part_count = mail->parts->len,
  };
}

void
form_mail_clear(FormMail *mail)
{
  if (mail->text != NULL)
    secret_wipe(mail->text, strlen(mail->text));
  g_clear_pointer(&mail->text, g_free);
  g_clear_pointer(&mail->names, g_ptr_array_unref);
  g_clear_pointer(&mail->parts, g_array_unref);
}

GString *
form_mail_copy(const FormMail *mail, const FormWords *words, const char *id, GError **error)
{
  ComposeFacts facts = mail->facts;
  facts.id = id;
  facts.now_s = words->now_s;
  GString *body = compose_body(&facts, error);
  return body != NULL ? compose_message(&facts, NULL, NULL, body) : NULL;
}
