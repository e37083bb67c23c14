/*
 * test_css.c - what a style attribute may say.
 */
#include "reader/css.h"

#include "tests/unit/tap.h"

typedef struct {
  const char *style;
  const char *expected;
} Row;

static const Row rows[] = {
    {"color:red", "color:red"},
    {"COLOR : #A1B2C3 ;", "color:#A1B2C3"},
    {"color:rgb(1, 2, 3);color:rgba(0,0,0,.5)", "color:rgb(1, 2, 3);color:rgba(0,0,0,.5)"},
    {"color:windowtext", "color:windowtext"},
    {"margin:0 1.5em 2% auto", "margin:0 1.5em 2% auto"},
    {"margin:\n0\t1px", "margin:0 1px"},
    {"border:solid #E1E1E1 1.0pt", "border:solid #E1E1E1 1.0pt"},
    {"font-family:\"Times New Roman\",serif", "font-family:\"Times New Roman\",serif"},
    {"font-weight:700;font-style:italic", "font-weight:700;font-style:italic"},
    {"display:none", "display:none"},
    {"width:100%;height:9999px", "width:100%;height:9999px"},
    {"color:red!important", "color:red"},
    {"color:red;margin:-10px;font-size:12pt", "color:red;font-size:12pt"},
    {"", NULL},
    {";;:;", NULL},
    {"color", NULL},
    {"color:", NULL},
    {"position:fixed", NULL},
    {"display:-moz-box", NULL},
    {"display:fixed", NULL},
    {"background:url(x)", NULL},
    {"background:red url(x)", NULL},
    {"background-color:u\\72l(x)", NULL},
    {"color:expression(alert(1))", NULL},
    {"width:calc(1px)", NULL},
    {"width:10000px", NULL},
    {"width:.px", NULL},
    {"width:1e3px", NULL},
    {"color:#12", NULL},
    {"color:#12345g", NULL},
    {"color:rgb(1,2,3", NULL},
    {"color:rgb()", NULL},
    {"color:rgb(a)", NULL},
    {"color:var(--x)", NULL},
    {"--x:red", NULL},
    {"font-family:'x", NULL},
    {"font-family:x{y", NULL},
    {"font-family:x\\y", NULL},
    {"color:red/**/", NULL},
    {"color:red}*{color:blue", NULL},
    {"margin:1px 2px 3px 4px 5px", NULL},
    {"behavior:url(x)", NULL},
    {"-moz-binding:x", NULL},
    {"mso-style-name:x", NULL},
    {"z-index:9", NULL},
    {"content:x", NULL},
};

static void
test_rows(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *clean = css_clean(rows[i].style);
    g_assert_cmpstr(clean, ==, rows[i].expected);
  }
}

static void
test_long_values(void)
{
  g_autofree char *name = g_strnfill(CSS_VALUE_MAX_BYTES + 1, 'x');
  g_autofree char *style = g_strconcat("font-family:", name, NULL);
  g_assert_null(css_clean(style));
  g_assert_false(css_is_color("averyveryverylongcolorname"));
  g_assert_true(css_is_color("lightgoldenrodyellow"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/css/T9/declarations", test_rows);
  g_test_add_func("/css/T9/long values", test_long_values);
  return g_test_run();
}
