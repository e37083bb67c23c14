#include "common/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"

/*
 * What linux/landlock.h has as of ABI 6; the header of the build machine may be older than
 * the running kernel. The kernel takes a longer structure when the rest is zero.
 */
typedef struct {
  guint64 handled_access_fs;
  guint64 handled_access_net; /* ABI 4 */
  guint64 scoped;             /* ABI 6 */
} Ruleset;

typedef struct {
  guint64 allowed_access;
  guint64 port;
} NetPort;

#define RULE_NET_PORT      2
#define ACCESS_FS_REFER    (G_GUINT64_CONSTANT(1) << 13) /* ABI 2 */
#define ACCESS_FS_TRUNCATE (G_GUINT64_CONSTANT(1) << 14) /* ABI 3 */
#define ACCESS_CONNECT_TCP (G_GUINT64_CONSTANT(1) << 1)

/* What each ABI added, from landlock(7): the number of rights, counted from bit 0. */
static const struct {
  int abi;
  guint fs_rights;
  guint net_rights;
  guint scopes;
} abis[] = {
    {6, 16, 2, 2}, /* abstract sockets and signals */
    {5, 16, 2, 0}, /* ioctl on devices */
    {4, 15, 2, 0}, /* TCP bind and connect */
    {3, 15, 0, 0}, /* truncate */
    {2, 14, 0, 0}, /* refer */
    {1, 13, 0, 0},
};

static const guint64 access_rights[] = {
    [LANDLOCK_MAY_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [LANDLOCK_MAY_RUN] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                         LANDLOCK_ACCESS_FS_EXECUTE,
    [LANDLOCK_MAY_CHANGE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                            LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                            LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                            LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                            ACCESS_FS_REFER | ACCESS_FS_TRUNCATE,
};

/* Those that mean something for what is no directory; the kernel refuses the others there.
 */
static const guint64 file_rights = LANDLOCK_ACCESS_FS_READ_FILE |
                                   LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_FS_TRUNCATE;

static gboolean
fail(GError **error, int errnum, const char *what)
{
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errnum, what);
  return FALSE;
}

static guint64
lowest_bits(guint count)
{
  return (G_GUINT64_CONSTANT(1) << count) - 1;
}

static int
known_abi(void)
{
  return (int) syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);
}

gboolean
landlock_begin(Landlock *self, gboolean any_port, GError **error)
{
  *self = (Landlock){.fd = -1};
  int abi = known_abi();
  if (abi < 1)
    return fail(error, errno,
                "this kernel has no Landlock (Linux 5.13 or newer with landlock in lsm= "
                "is needed)");
  Ruleset ruleset = {0, 0, 0};
  gsize i = 0;
  while (i < G_N_ELEMENTS(abis) - 1 && abi < abis[i].abi)
    i++;
  ruleset.handled_access_fs = lowest_bits(abis[i].fs_rights);
  ruleset.handled_access_net = any_port ? 0 : lowest_bits(abis[i].net_rights);
  ruleset.scoped = lowest_bits(abis[i].scopes);
  self->fd = (int) syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
  if (self->fd < 0)
    return fail(error, errno, "cannot make a Landlock ruleset");
  self->refused = ruleset.handled_access_fs;
  return TRUE;
}

gboolean
landlock_allow(Landlock *self, const char *path, LandlockAccess access, GError **error)
{
  struct stat status;
  struct landlock_path_beneath_attr rule = {.allowed_access =
                                                access_rights[access] & self->refused,
                                            .parent_fd = open(path, O_PATH | O_CLOEXEC)};
  if (rule.parent_fd < 0)
    return TRUE;
  if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
    rule.allowed_access &= file_rights;
  long added =
      syscall(SYS_landlock_add_rule, self->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  int add_errno = errno;
  close(rule.parent_fd);
  if (added < 0)
    return fail(error, add_errno, "cannot fill a Landlock ruleset");
  return TRUE;
}

gboolean
landlock_allow_port(Landlock *self, guint16 port, GError **error)
{
  const NetPort rule = {.allowed_access = ACCESS_CONNECT_TCP, .port = port};
  if (known_abi() < 4)
    return TRUE;
  if (syscall(SYS_landlock_add_rule, self->fd, RULE_NET_PORT, &rule, 0) < 0)
    return fail(error, errno, "cannot fill a Landlock ruleset");
  return TRUE;
}

gboolean
landlock_enforce(Landlock *self, GError **error)
{
  long restricted = syscall(SYS_landlock_restrict_self, self->fd, 0);
  int restrict_errno = errno;
  landlock_end(self);
  if (restricted < 0)
    return fail(error, restrict_errno, "cannot enforce Landlock");
  return TRUE;
}

void
landlock_end(Landlock *self)
{
  if (self->fd >= 0)
    close(self->fd);
  self->fd = -1;
}
