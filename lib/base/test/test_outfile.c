/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/test/test.h"

static char dir[] = "/tmp/test_outfile.XXXXXX";

static int set_up(void **state)
{
	return mkdtemp(dir) ? chdir(dir) : 1;
}

static int tear_down(void **state)
{
	return rmdir(dir); /* fails if something was left behind */
}

static void write_one(struct outfile *o, const char *text, struct err *err)
{
	assert_ok(outfile_open(o, dir, "x", 0644, err), err);
	assert_int_not_equal(access("x.none", F_OK), 0);
	assert_ok(io_write(o->fd, "x", text, strlen(text), err), err);
}

static void appears_when_whole(void **state)
{
	struct outfile o = OUTFILE_INIT;
	struct err err = ERR_INIT;

	write_one(&o, "one", &err);
	assert_int_not_equal(access("x", F_OK), 0);
	assert_ok(outfile_publish(&o, false, &err), &err);
	outfile_fini(&o);
	assert_int_equal(access("x", F_OK), 0);
	assert_fails(outfile_check(dir, "x", false, &err), &err, ERR_EXISTS, "--force");
	assert_ok(outfile_check(dir, "x", true, &err), &err);
}

static void never_over_another(void **state)
{
	struct outfile o = OUTFILE_INIT;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	write_one(&o, "two", &err);
	assert_fails(outfile_publish(&o, false, &err), &err, ERR_EXISTS, "x");
	outfile_fini(&o);
	write_one(&o, "three", &err);
	assert_ok(outfile_publish(&o, true, &err), &err);
	outfile_fini(&o);
	assert_ok(io_read_file(AT_FDCWD, "x", 100, &b, &err), &err);
	assert_string_equal(b.p, "three");
	buf_fini(&b);
	unlink("x");
}

static void dropped(void **state)
{
	struct outfile o = OUTFILE_INIT;
	struct err err = ERR_INIT;

	write_one(&o, "gone", &err);
	outfile_fini(&o);
	assert_int_not_equal(access("x", F_OK), 0);
}

/* The hidden file of a killed run is removed, that of a running one is not. */
static void stand_ins(void **state)
{
	struct outfile o = OUTFILE_INIT;
	struct err err = ERR_INIT;
	int fd = open(".x.domstrap-new", O_RDWR | O_CREAT, 0600);

	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	write_one(&o, "", &err);
	assert_int_equal(access(".x.domstrap-new", F_OK), 0);
	outfile_fini(&o);
	close(fd);
	write_one(&o, "", &err);
	assert_int_not_equal(access(".x.domstrap-new", F_OK), 0);
	outfile_fini(&o);
}

static void no_place(void **state)
{
	struct outfile o = OUTFILE_INIT;
	struct err err = ERR_INIT;

	assert_fails(outfile_open(&o, "/nonexistent", "x", 0644, &err), &err, ERR_NOENT,
	             "/nonexistent");
	outfile_fini(&o);
	assert_int_equal(mkdir("x", 0755), 0);
	assert_fails(outfile_check(dir, "x", true, &err), &err, ERR_EXISTS, "not a regular file");
	rmdir("x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(appears_when_whole),
	        cmocka_unit_test(never_over_another),
	        cmocka_unit_test(dropped),
	        cmocka_unit_test(stand_ins),
	        cmocka_unit_test(no_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
