/* SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include "base/test/test.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define JOBS 1000u
#define THREADS 8u

struct jobs {
	unsigned done[JOBS];         /* how often each ran */
	unsigned by_worker[THREADS]; /* no lock: each thread has its own */
	atomic_size_t begun;
	size_t bad; /* the job that fails; JOBS: none */
	atomic_bool failed;
};

static int job(void *ctx, unsigned worker, size_t i, struct err *err)
{
	struct jobs *jobs = ctx;

	atomic_fetch_add(&jobs->begun, 1);
	jobs->done[i]++;
	jobs->by_worker[worker]++;
	if (i != jobs->bad)
		return 0;
	atomic_store(&jobs->failed, true);
	return err_set(err, ERR_FORMAT, "job %zu", i);
}

static void every_job_runs_once(void **state)
{
	static const unsigned threads[] = {0, 1, 2, THREADS};

	for (size_t t = 0; t < 4; t++) {
		struct jobs jobs = {.bad = JOBS};
		struct err err = ERR_INIT;
		unsigned sum = 0;

		assert_int_equal(pool_run(threads[t], JOBS, job, &jobs, &err), 0);
		for (unsigned i = 0; i < JOBS; i++)
			assert_int_equal(jobs.done[i], 1);
		for (unsigned i = 0; i < THREADS; i++)
			sum += jobs.by_worker[i];
		assert_int_equal(sum, JOBS);
	}
}

static void no_jobs(void **state)
{
	struct jobs jobs = {.bad = JOBS};
	struct err err = ERR_INIT;

	assert_int_equal(pool_run(THREADS, 0, job, &jobs, &err), 0);
	assert_int_equal(jobs.begun, 0);
}

/* After it, the failing thread starts no job, and each other thread at most one. */
static void the_first_failure_ends_it(void **state)
{
	static const unsigned threads[] = {1, THREADS};

	for (size_t t = 0; t < 2; t++) {
		struct jobs jobs = {.bad = 10};
		struct err err = ERR_INIT;

		assert_int_equal(pool_run(threads[t], JOBS, job, &jobs, &err), -ERR_FORMAT);
		assert_string_equal(err.text, "job 10");
		assert_true(jobs.failed);
		if (threads[t] == 1)
			assert_int_equal(jobs.begun, 11);
	}
}

static void *blocked(void *arg)
{
	return (void *)(intptr_t)(pthread_sigmask(SIG_SETMASK, NULL, arg) == 0);
}

static void threads_get_no_signals(void **state)
{
	sigset_t before, after, there;
	pthread_t id;
	void *ok;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(pool_thread(&id, blocked, &there), 0);
	assert_int_equal(pthread_join(id, &ok), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_true(ok && sigismember(&there, SIGINT) && sigismember(&there, SIGTERM));
	assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_job_runs_once),
	        cmocka_unit_test(no_jobs),
	        cmocka_unit_test(the_first_failure_ends_it),
	        cmocka_unit_test(threads_get_no_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
