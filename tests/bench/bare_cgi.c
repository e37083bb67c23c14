/*
 * bare_cgi - the least that a CGI program with a sealed database can do: it looks one row
 * up in the SQLite database bare.db of its own directory, opens it with AES-256-GCM, and
 * answers with a short page. "bare_cgi make DATABASE" makes the database. What zegel-viewer
 * does beside this for its first page is its own cost.
 */
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_BYTES   16
#define IV_BYTES    12
#define PLAIN_BYTES 64
#define ROWS        1000
#define WANTED      500

static const unsigned char key[32] = "test key of a benchmark";
static const unsigned char iv[IV_BYTES] = "test iv.....";

static void
must(int good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "bare_cgi: %s\n", what);
  exit(EXIT_FAILURE);
}

/* Seals (SEAL) or opens PLAIN_BYTES from IN to OUT; the tag is behind the sealed bytes. */
static void
crypt_bytes(int seal, unsigned char *in, unsigned char *out)
{
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int len = 0;
  must(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, iv, seal) == 1, "init");
  must(seal || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
                                   in + PLAIN_BYTES) == 1,
       "tag");
  must(EVP_CipherUpdate(context, out, &len, in, PLAIN_BYTES) == 1, "update");
  must(EVP_CipherFinal_ex(context, out + len, &len) == 1, "final");
  must(!seal || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES,
                                    out + PLAIN_BYTES) == 1,
       "tag");
  EVP_CIPHER_CTX_free(context);
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *statement = NULL;
  must(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sql);
  return statement;
}

static void
make(sqlite3 *db)
{
  unsigned char plain[PLAIN_BYTES] = "the words of a row";
  unsigned char sealed[PLAIN_BYTES + TAG_BYTES];
  crypt_bytes(1, plain, sealed);
  must(sqlite3_exec(db,
                    "PRAGMA journal_mode = WAL; BEGIN;"
                    "CREATE TABLE row (id INTEGER PRIMARY KEY, sealed BLOB) STRICT",
                    NULL, NULL, NULL) == SQLITE_OK,
       "table");
  sqlite3_stmt *insert = prepare(db, "INSERT INTO row (id, sealed) VALUES (?1, ?2)");
  for (int i = 0; i < ROWS; i++) {
    sqlite3_bind_int(insert, 1, i);
    sqlite3_bind_blob(insert, 2, sealed, sizeof sealed, SQLITE_STATIC);
    must(sqlite3_step(insert) == SQLITE_DONE, "insert");
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "commit");
}

static void
show(sqlite3 *db)
{
  unsigned char sealed[PLAIN_BYTES + TAG_BYTES], plain[PLAIN_BYTES];
  sqlite3_stmt *find = prepare(db, "SELECT sealed FROM row WHERE id = ?1");
  sqlite3_bind_int(find, 1, WANTED);
  must(sqlite3_step(find) == SQLITE_ROW && sqlite3_column_bytes(find, 0) == sizeof sealed,
       "row");
  memcpy(sealed, sqlite3_column_blob(find, 0), sizeof sealed);
  sqlite3_finalize(find);
  crypt_bytes(0, sealed, plain);
  printf("Content-Type: text/html; charset=utf-8\r\n\r\n"
         "<!doctype html><title>Bare</title><p>%.*s\n",
         PLAIN_BYTES, (const char *) plain);
}

int
main(int argc, char **argv)
{
  sqlite3 *db = NULL;
  int making = argc == 3 && strcmp(argv[1], "make") == 0;
  must(sqlite3_open(making ? argv[2] : "bare.db", &db) == SQLITE_OK, "open");
  sqlite3_busy_timeout(db, 5000);
  if (making)
    make(db);
  else
    show(db);
  sqlite3_close(db);
  return EXIT_SUCCESS;
}
