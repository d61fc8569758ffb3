/* SPDX-License-Identifier: MIT */
/* The fields of a look's result. What each means: look.h, inspector_*.c and generations.h. */
#include "base/mem.h"
#include "inspector/inspector_wire.h"

#define TEXT(name) {name, INSPECTOR_TEXT, false, NULL}
#define TEXTS(name) {name, INSPECTOR_TEXT, true, NULL}
#define NUMBER(name) {name, INSPECTOR_NUMBER, false, NULL}
#define BOOL(name) {name, INSPECTOR_BOOL, false, NULL}
#define RECORD(name, of) {name, INSPECTOR_RECORD, false, &(of)}
#define RECORDS(name, of) {name, INSPECTOR_RECORD, true, &(of)}
#define MAP(name, of) {name, INSPECTOR_MAP, false, &(of)}
#define OF(name, fields) {name, fields, ARRAY_LEN(fields)}

static const struct inspector_field fs_fields[] = {TEXT("type"),   TEXT("label"),  TEXT("uuid"),
                                                   NUMBER("size"), NUMBER("free"), BOOL("clean"),
                                                   TEXT("notice"), NUMBER("start")};
static const struct inspector_record fs = OF("fileSystem", fs_fields);

static const struct inspector_field partition_fields[] = {
        NUMBER("number"),        TEXT("device"), NUMBER("start"),
        NUMBER("size"),          TEXT("type"),   TEXT("uuid"),
        TEXT("label"),           BOOL("active"), TEXT("trouble"),
        RECORD("fileSystem", fs)};
static const struct inspector_record partition = OF("partition", partition_fields);

static const struct inspector_field disk_fields[] = {NUMBER("size"),
                                                     TEXT("table"),
                                                     TEXT("uuid"),
                                                     TEXT("trouble"),
                                                     RECORD("fileSystem", fs),
                                                     RECORDS("partitions", partition)};
static const struct inspector_record disk = OF("disk", disk_fields);

/* A logical volume, or another one that is not on a single disk. */
static const struct inspector_field volume_fields[] = {TEXT("device"), TEXT("id"), NUMBER("size"),
                                                       RECORD("fileSystem", fs), TEXT("trouble")};
static const struct inspector_record volume = OF("volume", volume_fields);

static const struct inspector_field kernel_fields[] = {
        TEXT("format"),  TEXT("packing"),   TEXT("banner"), TEXT("release"),
        TEXT("trouble"), BOOL("pv"),        TEXT("notPv"),  BOOL("pvh"),
        TEXT("notPvh"),  BOOL("notesRead"), TEXTS("advice")};
static const struct inspector_record kernel = OF("kernel", kernel_fields);

static const struct inspector_field root_fields[] = {TEXT("by"), TEXT("value"), TEXT("type")};
static const struct inspector_record root = OF("root", root_fields);

static const struct inspector_field system_fields[] = {
        TEXTS("modules"),     NUMBER("initrdFiles"), TEXT("initrdTrouble"), TEXTS("builtin"),
        RECORD("root", root), BOOL("getty"),         BOOL("secrets"),       BOOL("etcMounted"),
        BOOL("etcWritable"),  TEXT("trouble")};
static const struct inspector_record system_record = OF("system", system_fields);

static const struct inspector_record entry;
static const struct inspector_field entry_fields[] = {
        TEXT("title"),  BOOL("default"),      TEXT("error"),      RECORDS("entries", entry),
        TEXT("kernel"), NUMBER("kernelSize"), TEXTS("initrds"),   TEXT("args"),
        TEXT("init"),   BOOL("initFound"),    TEXT("etcMissing"), RECORD("system", system_record)};
static const struct inspector_record entry = OF("entry", entry_fields);

static const struct inspector_field menu_fields[] = {TEXT("file"),        TEXT("title"),
                                                     NUMBER("timeoutMs"), RECORDS("entries", entry),
                                                     TEXTS("warnings"),   BOOL("complete")};
static const struct inspector_record menu = OF("menu", menu_fields);

/* Kernel and initrd of the host. */
static const struct inspector_field direct_fields[] = {
        TEXT("kernel"),    TEXT("initrd"),     TEXT("args"),  TEXT("init"),
        BOOL("initFound"), TEXT("etcMissing"), TEXT("error"), RECORD("system", system_record)};
static const struct inspector_record direct = OF("direct", direct_fields);

static const struct inspector_field generation_fields[] = {
        NUMBER("generation"), NUMBER("time"),   BOOL("current"),       BOOL("default"),
        TEXT("system"),       TEXT("version"),  TEXT("kernelVersion"), TEXT("description"),
        NUMBER("ownBytes"),   BOOL("bootable"), TEXT("trial"),         BOOL("activated")};
static const struct inspector_record generation = OF("generation", generation_fields);

/* What boots once, at the next start. */
static const struct inspector_field next_fields[] = {TEXT("system"), NUMBER("generation")};
static const struct inspector_record next = OF("next", next_fields);

static const struct inspector_field boot_fields[] = {
        TEXT("by"),     TEXT("file"),         TEXT("init"),           BOOL("initFound"),
        TEXT("system"), NUMBER("generation"), TEXT("specialisation"), NUMBER("profileGeneration"),
        TEXT("error"),  RECORD("next", next)};
static const struct inspector_record boot = OF("boot", boot_fields);

static const struct inspector_field profile_fields[] = {TEXT("name"), NUMBER("generations")};
static const struct inspector_record profile = OF("profile", profile_fields);

/* The paths of the database come as rows, see inspector_rows.c. */
static const struct inspector_field nixos_fields[] = {NUMBER("disk"),
                                                      NUMBER("start"),
                                                      NUMBER("size"),
                                                      BOOL("changeable"),
                                                      TEXT("device"),
                                                      BOOL("menuPending"),
                                                      RECORD("boot", boot),
                                                      RECORDS("generations", generation),
                                                      RECORDS("profiles", profile),
                                                      NUMBER("pathCount"),
                                                      NUMBER("narBytes"),
                                                      TEXT("databaseError"),
                                                      TEXTS("unregistered"),
                                                      NUMBER("unregisteredMore")};
static const struct inspector_record nixos = OF("nixos", nixos_fields);

static const struct inspector_field inspector_fields[] = {
        RECORDS("disks", disk), MAP("kernels", kernel), RECORD("direct", direct),
        RECORD("menu", menu),   TEXT("menuError"),      RECORD("nixos", nixos),
        TEXT("nixosError"),     TEXT("unreadable"),     RECORDS("volumes", volume)};
const struct inspector_record inspector_schema = OF("look", inspector_fields);
