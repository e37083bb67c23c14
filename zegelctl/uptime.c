#include "zegelctl/uptime.h"

#define GOOD    1U
#define BAD     2U
#define PLANNED 4U
#define SEEN    (GOOD | BAD)

struct Uptime {
  gint64 first; /* minute */
  gsize count;
  guint8 *minutes;
};

Uptime *
uptime_new(gint64 from_s, gint64 until_s)
{
  Uptime *uptime = g_new0(Uptime, 1);
  uptime->first = from_s / UPTIME_MINUTE_S;
  gint64 end = (until_s + UPTIME_MINUTE_S - 1) / UPTIME_MINUTE_S;
  uptime->count = (gsize) MAX(end - uptime->first, 0);
  uptime->minutes = g_malloc0(MAX(uptime->count, 1));
  return uptime;
}

void
uptime_free(Uptime *uptime)
{
  if (uptime == NULL)
    return;
  g_free(uptime->minutes);
  g_free(uptime);
}

/* The place of the minute of AT_S, at most the end. */
static gsize
place_of(const Uptime *uptime, gint64 at_s)
{
  gint64 place = at_s / UPTIME_MINUTE_S - uptime->first;
  return (gsize) CLAMP(place, 0, (gint64) uptime->count);
}

void
uptime_add(Uptime *uptime, gint64 at_s, gboolean good)
{
  gint64 place = at_s / UPTIME_MINUTE_S - uptime->first;
  if (place >= 0 && place < (gint64) uptime->count)
    uptime->minutes[place] |= good ? GOOD : BAD;
}

void
uptime_plan(Uptime *uptime, gint64 begins_s, gint64 ends_s)
{
  gsize end = place_of(uptime, ends_s);
  for (gsize i = place_of(uptime, begins_s); i < end; i++)
    uptime->minutes[i] |= PLANNED;
}

/* GOOD or BAD, or 0 for unseen. */
static guint
state_of(const Uptime *uptime, gsize i)
{
  const guint8 *minutes = uptime->minutes;
  guint seen = minutes[i] & SEEN;
  if (seen == 0 && i > 0 && i + 1 < uptime->count && (minutes[i + 1] & SEEN) != 0)
    seen = minutes[i - 1] & SEEN;
  return (seen & BAD) != 0 ? BAD : seen;
}

void
uptime_count(const Uptime *uptime, gint64 from_s, gint64 until_s, UptimeCount *count)
{
  guint64 run = 0;
  gsize end = place_of(uptime, until_s);
  *count = (UptimeCount){.all = 0};
  for (gsize i = place_of(uptime, from_s); i < end; i++) {
    guint state = state_of(uptime, i);
    gboolean planned = (uptime->minutes[i] & PLANNED) != 0;
    count->all++;
    count->good += state == GOOD;
    count->bad += state == BAD;
    count->unseen += state == 0;
    count->planned += planned;
    count->planned_lost += planned && state != GOOD;
    run = state != GOOD && !planned ? run + 1 : 0;
    count->interruptions += run == 1;
    count->longest = MAX(count->longest, run);
  }
}

guint
uptime_share(guint64 good, guint64 all)
{
  return all > 0 ? (guint) (good * 100000 / all) : 100000;
}
