/*
 * test_html.c - HTML of strangers comes out harmless, and as it looked where it may.
 */
#include "reader/html.h"

#include <string.h>
#include <libxml/parser.h>

#include "tests/unit/reader/harmless.h"
#include "tests/unit/reader/xss_vectors.h"
#include "tests/unit/tap.h"

#define BOMB_MAX_S 10 /* the reader's CPU limit */

typedef struct {
  const char *source;
  const char *expected; /* without the div that is always around it */
} Row;

#define LINK "\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">"

#define TARGET(words) " <span class=\"target\" dir=\"ltr\">[" words "]</span>"

static const Row safe_rows[] = {
    {"", ""},
    {"x", "<p>x</p>"}, /* libxml2 wraps loose text */
    {"<p>a &amp; b &lt; c \"d\" 'e'</p>",
     "<p>a &amp; b &lt; c &quot;d&quot; &#39;e&#39;</p>"},
    {"<P ALIGN=Center>x</P>", "<p align=\"Center\">x</p>"},
    {"<p align='a b'>x</p>", "<p>x</p>"},
    {"<h1>a</h1><hr><h2>b<br>c</h2>", "<h1>a</h1><hr><h2>b<br>c</h2>"},
    {"<ul><li>een<li>twee</ul>", "<ul><li>een</li><li>twee</li></ul>"},
    {"<table width=100% border=0 cellpadding=2><tr bgcolor=#ffeedd><td colspan=2 "
     "valign=top nowrap=nowrap>a<td>b</table>",
     "<table width=\"100%\" border=\"0\" cellpadding=\"2\"><tr bgcolor=\"#ffeedd\">"
     "<td colspan=\"2\" valign=\"top\" nowrap=\"nowrap\">a</td><td>b</td></tr></table>"},
    {"<td width=99999>x", "<td>x</td>"},
    {"<font color=red size=+1 face='Arial, Helvetica'>x</font>",
     "<font color=\"red\" size=\"+1\" face=\"Arial, Helvetica\">x</font>"},
    {"<font color='red;x' face='a:b'>x</font>", "<font>x</font>"},
    {"<p style='color:red;position:fixed; margin : 0 4px !important'>x</p>",
     "<p style=\"color:red;margin:0 4px\">x</p>"},
    {"<p class=MsoNormal style='color:red'>x</p>", "<p style=\"margin:0;color:red\">x</p>"},
    {"<p class=other id=x name=y>x</p>", "<p>x</p>"},
    {"<p>a<o:p>b</o:p></p>", "<p>ab</p>"},
    {"<p>a<![if !vml]>b<![endif]>c</p>", "<p>abc</p>"},
    {"<!--[if mso]><p>x</p><![endif]--><p>y</p>", "<p>y</p>"},
    {"<!--[if !mso]><!--><p>y</p><!--<![endif]-->", "<p>y</p>"},
    {"<p title='a\"b<c' lang=nl dir=rtl>x</p>",
     "<p title=\"a&quot;b&lt;c\" lang=\"nl\" dir=\"rtl\">x</p>"},
    {"<p title='a\xe2\x80\xae"
     "b'>x</p>",
     "<p title=\"ab\">x</p>"},
    {"<a href='https://example.com/?a=1&amp;b=\"2\"'>x</a>",
     "<a href=\"https://example.com/?a=1&amp;b=%222%22" LINK
     "x</a>" TARGET("example.com/?a=1&amp;b=%222%22")},
    {"<a href='mailto:a@example.com'>x</a>",
     "<a href=\"mailto:a@example.com" LINK "x</a>" TARGET("a@example.com")},
    {"<a href='mailto:a@example.com?subject=y'>A@example.com</a>",
     "<a href=\"mailto:a@example.com?subject=y" LINK "A@example.com</a>"},
    {"<a href='mailto:a@example.com'>a@example.com</a>",
     "<a href=\"mailto:a@example.com" LINK "a@example.com</a>"},
    {"<a href='https://example.com/'> <b>Example</b>.com\n</a>",
     "<a href=\"https://example.com/" LINK " <b>Example</b>.com\n</a>"},
    {"<a href='https://evil.example/'>https://bank.example/</a>",
     "<a href=\"https://evil.example/" LINK
     "https://bank.example/</a>" TARGET("evil.example")},
    {"<a href='https://bank.example@evil.example/a'>x</a>",
     "<a href=\"https://bank.example@evil.example/a" LINK "x</a>" TARGET("evil.example/a")},
    {"<a href='https://example.com/'><img src=cid:png></a>",
     "<a href=\"https://example.com/" LINK
     "<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"\"></a>" TARGET("example.com")},
    {"<a href='https://example.com/'></a>",
     "<a href=\"https://example.com/" LINK "</a>" TARGET("example.com")},
    {"<a name=x>y</a>", "<a>y</a>"},
    {"<section><article>x</article></section>", "<div><div>x</div></div>"},
    {"<form action=/x><p>x</p><input value=y></form>", "<div><p>x</p></div>"},
    {"<blink>x</blink>", "x"},
    /* Empty elements that libxml2 does not know as such: what follows is not in them. */
    {"<p>a<embed src=x>b</p><p>c</p>", "<p>ab</p><p>c</p>"},
    {"<p>a<bgsound src=x>b</p><keygen><p>c</p>", "<p>ab</p><p>c</p>"},
    {"<picture><source srcset=x><track><img src=cid:png></picture><p>c</p>",
     "<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"\"><p>c</p>"},
    {"<img src=cid:png alt=own width=10>",
     "<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"own\" width=\"10\">"},
    {"<img src=CID:%70ng>", "<img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"\">"},
    {"<img src=cid:svg alt='a < b'>", "<span>[a &lt; b]</span>"},
    {"<img src=cid:none>", ""},
    {"<img src=https://example.com/x.png alt=foto>", "<span>[foto]</span>"},
    {"<body style='color:blue'><p>x</p></body>", "<p>x</p>"},
    {"<html><head><title>t</title><style>p{}</style></head><body><p>x</p></body></html>",
     "<p>x</p>"},
    {"<p>\xf0\x9f\x98\x80 \xe2\x82\xac</p>", "<p>\xf0\x9f\x98\x80 \xe2\x82\xac</p>"},
    {"<p>&euro;&nbsp;&#8364;&#x80;</p>", "<p>\xe2\x82\xac\xc2\xa0\xe2\x82\xac\xc2\x80</p>"},
    {"<meta charset=iso-8859-1><p>\xe2\x82\xac</p>", "<p>\xe2\x82\xac</p>"},
};

static const Row href_rows[] = {
    {"https://example.com/", "https://example.com/"},
    {"HTTP://Example.com/a b", "HTTP://Example.com/a%20b"},
    {" https://example.com/\t", "https://example.com/"},
    {"ht\ntps://example.com/", "https://example.com/"},
    {"https://example.com/\xc3\xab", "https://example.com/%C3%AB"},
    {"https://example.com/\xe2\x80\xaegnp", "https://example.com/%E2%80%AEgnp"},
    {"https://example.com/\"onclick=x", "https://example.com/%22onclick=x"},
    {"tel:+31612345678", "tel:+31612345678"},
    {"mailto:a@example.com?subject=x", "mailto:a@example.com?subject=x"},
    {"https://", NULL},
    {"https:example.com", NULL},
    {"javascript:alert(1)", NULL},
    {"java\tscript:alert(1)", NULL},
    {"javascript:https://example.com/", NULL},
    {"//example.com/", NULL},
    {"example.com", NULL},
    {"cid:x", NULL},
    {"data:text/html,x", NULL},
    {"", NULL},
};

#define TEN "0123456789"

static const Row target_rows[] = {
    {"https://example.com/", "example.com"},
    {"HTTP://Example.com", "Example.com"},
    {"https://example.com/a?b#c", "example.com/a?b#c"},
    {"https://example.com?b@c", "example.com?b@c"},
    {"https://www.bank.example:x@y@evil.example/", "evil.example"},
    {"https://example.com/" TEN TEN TEN TEN TEN,
     "example.com/" TEN TEN TEN TEN "01234567…"},
    {"https://" TEN TEN TEN TEN TEN TEN ".bank.example.evil.example/a",
     "…"
     "6789" TEN TEN TEN ".bank.example.evil.example"},
    {"mailto:a@example.com?subject=x", "a@example.com"},
    {"tel:+31612345678", "+31612345678"},
};

static const Row text_rows[] = {
    {"", ""},
    {"<p>een</p><p>twee</p>", "een\n\ntwee\n"},
    {"<div>een</div><div>twee</div>", "een\ntwee\n"},
    {"een<br>twee<br><br>drie", "een\ntwee\n\ndrie\n"},
    {"<p>  veel \n\t wit&nbsp;  </p>", "veel wit\n"},
    {"<p>Uw <b>afspraak</b>, <i>nu</i></p>", "Uw afspraak, nu\n"},
    {"<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc\n"},
    {"<ul><li>een<li><p>twee</p></ul>", "- een\n- twee\n"},
    {"<ol><li>een<li>twee</ol><p>x</p>", "1. een\n2. twee\n\nx\n"},
    {"<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td\n"},
    {"<p>x</p><blockquote><p>a</p><p>b</p></blockquote><p>y</p>",
     "x\n>\n> a\n>\n> b\n\ny\n"},
    {"<a href='https://example.com/x'>klik</a> hier",
     "klik <https://example.com/x> hier\n"},
    {"<a href='https://example.com/'>https://example.com/</a>", "https://example.com/\n"},
    {"<a href='mailto:a@example.com'>a@example.com</a>", "a@example.com\n"},
    {"<a href='javascript:x'>klik</a>", "klik\n"},
    {"<img src=x alt=foto><img src=y>", "[foto]\n"},
    {"<div>a</div><hr><div>b</div>", "a\n---\nb\n"},
    {"<script>x</script><style>y</style><title>z</title><p>echt</p>", "echt\n"},
    {"<p>a<select><option>weg</option></select><textarea>weg</textarea>b</p>", "ab\n"},
    {"<section>a</section><section>b</section>", "a\nb\n"},
    {"<p>a\x1b[31m\xc2\x9b"
     "b</p>",
     "a[31mb\n"},
    {"<p>a<o:p></o:p></p><p>b</p>", "a\n\nb\n"},
};

static GByteArray *
test_image(const char *content_id, gpointer data)
{
  const char *bytes = strcmp(content_id, "png") == 0   ? "\x89PNG\r\n\x1a\n"
                      : strcmp(content_id, "svg") == 0 ? "<svg onload=alert(1)>"
                                                       : NULL;
  g_assert_cmpstr(data, ==, "data");
  if (bytes == NULL)
    return NULL;
  return g_byte_array_append(g_byte_array_new(), (const guint8 *) bytes,
                             (guint) strlen(bytes));
}

static char *
make_safe(const char *source, gboolean *is_cut)
{
  HtmlContext context = {test_image, (gpointer) "data", HTML_IMAGES_MAX_BYTES, FALSE};
  GString *out = g_string_new(NULL);
  html_append_safe(out, source, &context);
  if (is_cut != NULL)
    *is_cut = context.is_cut;
  return g_string_free(out, FALSE);
}

/* SAFE without the first element and its end. */
static char *
strip_outer(const char *safe)
{
  const char *begin = strchr(safe, '>') + 1;
  g_assert_true(g_str_has_suffix(begin, "</div>\n"));
  return g_strndup(begin, strlen(begin) - strlen("</div>\n"));
}

static void
test_safe(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(safe_rows); i++) {
    g_autofree char *safe = make_safe(safe_rows[i].source, NULL);
    g_autofree char *inner = strip_outer(safe);
    g_assert_cmpstr(inner, ==, safe_rows[i].expected);
  }
  g_autofree char *body = make_safe("<body bgcolor=red dir=ltr><p>x</p></body>", NULL);
  g_assert_cmpstr(body, ==, "<div bgcolor=\"red\" dir=\"ltr\"><p>x</p></div>\n");
}

static void
test_href(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(href_rows); i++) {
    g_autofree char *href = html_clean_href(href_rows[i].source);
    g_assert_cmpstr(href, ==, href_rows[i].expected);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(target_rows); i++) {
    g_autofree char *shown = html_short_target(target_rows[i].source);
    g_assert_cmpstr(shown, ==, target_rows[i].expected);
  }
  g_autofree char *endless = g_strnfill(HTML_HREF_MAX_BYTES, 'x');
  g_autofree char *href = g_strconcat("https://", endless, NULL);
  g_assert_null(html_clean_href(href));
}

static void
test_text(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(text_rows); i++) {
    HtmlContext context = {.is_cut = FALSE};
    g_autoptr(GString) out = g_string_new("before");
    html_append_text(out, text_rows[i].source, &context);
    g_assert_cmpstr(out->str + strlen("before"), ==, text_rows[i].expected);
    g_assert_false(context.is_cut);
  }
}

static void
assert_harmless(const char *source)
{
  g_autofree char *safe = make_safe(source, NULL);
  g_autofree char *fault = harmless_find_fault(safe, strlen(safe), FALSE);
  if (fault != NULL)
    g_error("%s out of: %s\ninto: %s", fault, source, safe);
}

static void
test_vectors(void)
{
  guint count = 0;
  for (; xss_vectors[count] != NULL; count++)
    assert_harmless(xss_vectors[count]);
  g_assert_cmpuint(count, >=, 100);
}

/* The same where a parser is in another state. */
static void
test_vectors_in_places(void)
{
  static const char *const places[] = {"<table><tr><td>%s</td></tr></table>",
                                       "<svg>%s</svg>",
                                       "<p title=\"%s\">x</p>",
                                       "<p title='%s'>x</p>",
                                       "<!-- %s -->",
                                       "<style>%s</style>",
                                       "<textarea>%s</textarea>",
                                       "<a href=\"%s\">x</a>",
                                       "<p style=\"%s\">x</p>",
                                       "<p style='color:red;%s'>x</p>",
                                       "<noscript>%s</noscript>",
                                       "<title>%s</title>",
                                       "<math><mtext>%s</mtext></math>",
                                       "<img alt=\"%s\">",
                                       "<ul><li>%s<li>%s</ul>",
                                       "<p %s>x</p>",
                                       "<%s>",
                                       "<font face='%s'>x</font>"};
  for (gsize i = 0; xss_vectors[i] != NULL; i++)
    for (gsize p = 0; p < G_N_ELEMENTS(places); p++) {
      g_auto(GStrv) around = g_strsplit(places[p], "%s", 0);
      g_autofree char *source = g_strjoinv(xss_vectors[i], around);
      assert_harmless(source);
    }
}

/* The judge itself: it must see the harm in the vectors as they are. */
static void
test_judge(void)
{
  guint seen = 0;
  guint count = 0;
  for (; xss_vectors[count] != NULL; count++) {
    g_autofree char *fault =
        harmless_find_fault(xss_vectors[count], strlen(xss_vectors[count]), FALSE);
    seen += fault != NULL;
  }
  g_assert_cmpuint(seen * 100, >=, count * 95);
}

/* UNIT, COUNT times, with END times END_UNIT behind it, is done with in time. */
static void
assert_no_bomb(const char *unit, gsize count, const char *end_unit)
{
  g_autoptr(GString) source = g_string_new(NULL);
  for (gsize i = 0; i < count; i++)
    g_string_append(source, unit);
  g_string_append(source, "the middle");
  for (gsize i = 0; i < count; i++)
    g_string_append(source, end_unit);
  gint64 before_us = g_get_monotonic_time();
  assert_harmless(source->str);
  HtmlContext context = {.is_cut = FALSE};
  g_autoptr(GString) out = g_string_new(NULL);
  html_append_text(out, source->str, &context);
  g_assert_cmpint((g_get_monotonic_time() - before_us) / G_USEC_PER_SEC, <, BOMB_MAX_S);
}

static void
test_bombs(void)
{
  assert_no_bomb("<div>", 100000, "</div>");
  assert_no_bomb("<b>", 350000, "");
  assert_no_bomb("<br>", 1000000, "");
  assert_no_bomb("<div></x>", 110000, "");
  assert_no_bomb("<table><tr><td>", 60000, "");
  assert_no_bomb("<blockquote>", 80000, "");
  assert_no_bomb("<a href=https://example.com/>", 36000, "");
  assert_no_bomb("<p title='x' ", 70000, ">");
  assert_no_bomb("&amp;", 200000, "");
  assert_no_bomb("<![if x]>", 100000, "");
  assert_no_bomb("<!--", 250000, "");
  assert_no_bomb("<", 1000000, "");
  assert_no_bomb("<ul><li>", 100000, "");
  assert_no_bomb("<img src=cid:png>", 60000, "");
}

static void
test_limits(void)
{
  gboolean is_cut = FALSE;
  g_autoptr(GString) source = g_string_new(NULL);
  for (guint i = 0; i < 1000; i++)
    g_string_append(source, "<div>");
  g_string_append(source, "<b>diep</b>");
  g_autofree char *deep = make_safe(source->str, &is_cut);
  g_assert_nonnull(strstr(deep, "diep"));
  g_assert_false(is_cut);

  for (guint i = 0; i < 2000; i++)
    g_string_append(source, "<div>");
  g_autofree char *too_deep = make_safe(source->str, &is_cut);
  g_assert_null(strstr(too_deep, "<script"));
  g_assert_true(is_cut);

  is_cut = FALSE;
  g_autofree char *spaces = g_strnfill(HTML_MAX_BYTES, ' ');
  g_autofree char *large = g_strconcat("<p>begin</p>", spaces, "<p>end</p>", NULL);
  g_autofree char *cut = make_safe(large, &is_cut);
  g_assert_true(is_cut);
  g_assert_nonnull(strstr(cut, "begin"));
  g_assert_null(strstr(cut, "end</p>"));
}

static GByteArray *
large_image(const char *content_id, gpointer data)
{
  (void) content_id;
  (void) data;
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_set_size(bytes, HTML_IMAGE_MAX_BYTES);
  memcpy(bytes->data, "GIF89a", 6);
  return bytes;
}

static void
test_images_limit(void)
{
  HtmlContext context = {large_image, NULL, HTML_IMAGES_MAX_BYTES, FALSE};
  g_autoptr(GString) out = g_string_new(NULL);
  html_append_safe(out,
                   "<img src=cid:1 alt=a><img src=cid:1 alt=b><img src=cid:1 alt=c>"
                   "<img src=cid:1 alt=d><img src=cid:1 alt=e>",
                   &context);
  g_assert_nonnull(strstr(out->str, "alt=\"d\""));
  g_assert_null(strstr(out->str, "alt=\"e\""));
  g_assert_nonnull(strstr(out->str, "[e]"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/html/V4/safe", test_safe);
  g_test_add_func("/html/V4/text", test_text);
  g_test_add_func("/html/T9/links", test_href);
  g_test_add_func("/html/T9/vectors", test_vectors);
  g_test_add_func("/html/T9/vectors in places", test_vectors_in_places);
  g_test_add_func("/html/T9/the judge sees harm", test_judge);
  g_test_add_func("/html/T13/bombs", test_bombs);
  g_test_add_func("/html/T13/limits", test_limits);
  g_test_add_func("/html/T13/images", test_images_limit);
  int failed = g_test_run();
  xmlCleanupParser();
  return failed;
}
