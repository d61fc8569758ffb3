/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/test/test.h"

static void goes_on(void **state)
{
	int64_t ns = clock_ns(), ms = clock_ms();

	assert_true(ms >= ns / 1000000);
	assert_true(clock_ns() >= ns);
	assert_true(clock_seconds_since(ns) >= 0);
}

/* Without a signal, the wait ends after the time, with the lock held again. */
static void waits(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	int64_t from = clock_ns();

	pthread_mutex_lock(&lock);
	clock_wait(&cond, &lock, 1000000);
	assert_int_not_equal(pthread_mutex_trylock(&lock), 0);
	pthread_mutex_unlock(&lock);
	assert_true(clock_ns() - from < 60ll * CLOCK_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(goes_on), cmocka_unit_test(waits)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
