/* SPDX-License-Identifier: MIT */
/* Generations as JSON, and in words. */
#ifndef INSPECTOR_GENERATION_JSON_H
#define INSPECTOR_GENERATION_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "nixos/guest_state.h"

/*
 * One generation as "domstrap generations --json" has it; sizes: with own_bytes,
 * which are null where they are not known.
 */
json_t *generation_json(const struct generation *g, bool sizes, bool known);
/*
 * What boots by default:
 *
 *     boot = { "by": "menu" | "config" | null, "file": text | null, "init": text | null,
 *              "initFound": bool, "system": text | null, "generation": number | null,
 *              "specialisation": text | null, "profileGeneration": number | null,
 *              "next": what the next start boots instead, for once:
 *                      { "system": text | null, "generation": number | null } | null,
 *              "error": text | null }
 */
int generation_boot_json(struct off_guest *off, const struct guest_state *in, json_t **out,
                         struct err *err);
/* The same for a person, from JSON: "generation 2, by (hd0,msdos1)/boot/grub/grub.cfg". */
void generation_boot_text(const json_t *boot, struct buf *out);
/* Whether it differs from the generation that the profile points at. */
bool generation_boot_differs(const json_t *boot);
/* Whether the next start boots something else, for once. */
bool generation_boot_once(const json_t *boot);
/* The mark behind a generation's number: "*" it boots by default, "+" the profile points at it. */
char generation_mark(bool boots, bool current);
/* The values of "trial"; null: there is none. */
#define GENERATION_JSON_NEXT "next"
#define GENERATION_JSON_TRIED "tried"

/* What else is to be said of a generation, from its JSON: ", to be tried at the next start". */
const char *generation_note(const json_t *generation);
/* As nix-env --list-generations writes a time. Returns out. */
const char *generation_when(int64_t t, char out[static 32]);

#endif
