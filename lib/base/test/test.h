/* SPDX-License-Identifier: MIT */
/* Included by every unit test. */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* A call that must succeed; if it fails, its error text is shown. */
#define assert_ok(call, err)                                                                       \
	do {                                                                                       \
		int rc_ = (call);                                                                  \
		if (rc_ != 0)                                                                      \
			fail_msg("%s: %d: %s", #call, rc_, (err)->text);                           \
	} while (0)

/* A call that must fail with the code and a text that contains the words. */
#define assert_fails(call, err, want, words)                                                       \
	do {                                                                                       \
		int rc_ = (call);                                                                  \
		if (rc_ != -(int)(want))                                                           \
			fail_msg("%s: %d instead of %d: %s", #call, rc_, -(int)(want),             \
			         (err)->text);                                                     \
		if (!strstr((err)->text, (words)))                                                 \
			fail_msg("%s: \"%s\" does not say \"%s\"", #call, (err)->text, (words));   \
	} while (0)

#endif
