/*
 * replay.c - runs a fuzz harness over its corpus, for "make check".
 *
 * A harness defines LLVMFuzzerTestOneInput; linked with this file it replays every file
 * below tests/fuzz/corpus/NAME, and each of them again with a few hundred fixed mutations.
 * For real fuzzing, link the harness with clang -fsanitize=fuzzer instead.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MUTATIONS        300 /* of each corpus file */
#define MAX_FLIPS        8
#define MUTATE_MAX_BYTES 65536 /* larger files are replayed, not mutated */

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_one(const char *bytes, gsize len)
{
  /* A copy of the exact size, so that ASan sees one octet too far. */
  g_autofree uint8_t *copy = g_memdup2(bytes, len);
  LLVMFuzzerTestOneInput(copy, len);
}

static void
run_mutations(const char *bytes, gsize len)
{
  g_autoptr(GRand) rand = g_rand_new_with_seed(7516);
  for (guint i = 0; i < MUTATIONS && len > 0 && len <= MUTATE_MAX_BYTES; i++) {
    g_autofree char *copy = g_memdup2(bytes, len);
    gint flips = g_rand_int_range(rand, 1, MAX_FLIPS);
    for (gint f = 0; f < flips; f++)
      copy[g_rand_int_range(rand, 0, (gint) len)] = (char) g_rand_int_range(rand, 0, 256);
    run_one(copy, (gsize) g_rand_int_range(rand, 0, (gint) len + 1));
    run_one(copy, len);
  }
}

int
main(int argc, char **argv)
{
  g_autofree char *name = g_path_get_basename(argv[0]);
  g_autofree char *dir = argc > 1 ? g_strdup(argv[1])
                                  : g_build_filename(g_getenv("G_TEST_SRCDIR"), "tests",
                                                     "fuzz", "corpus", name, NULL);
  g_autoptr(GDir) files = g_dir_open(dir, 0, NULL);
  guint count = 0;
  printf("1..1\n");
  for (const char *file; files != NULL && (file = g_dir_read_name(files)) != NULL;
       count++) {
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    if (!g_file_get_contents(path, &bytes, &len, NULL))
      return 1;
    run_one(bytes, len);
    run_mutations(bytes, len);
  }
  printf("%s 1 - %s: %u corpus files and their mutations\n", count > 0 ? "ok" : "not ok",
         name, count);
  return count > 0 ? 0 : 1;
}
