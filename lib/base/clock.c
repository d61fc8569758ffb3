/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}

int64_t clock_ms(void)
{
	return clock_ns() / (CLOCK_SECOND / 1000);
}

double clock_seconds_since(int64_t ns)
{
	return (double)(clock_ns() - ns) / CLOCK_SECOND;
}

void clock_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ns)
{
	int64_t end = clock_ns() + ns;
	struct timespec until = {.tv_sec = end / CLOCK_SECOND, .tv_nsec = end % CLOCK_SECOND};

	(void)pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until);
}
