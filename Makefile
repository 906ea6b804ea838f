# authserver: plain GNU make and pkg-config, no configure step.
#
#   make            build everything into build/
#   make run        install what is missing, build, and serve a demo on 127.0.0.1:5001
#   make check      install what is missing, build, and run every test, lint among them
#   make bench      install what is missing, build, and print speed and memory as ratios
#   make fuzz       look for inputs that break a parser: 60 seconds (SECONDS=n) for each of 32, as
#                   many at a time as there are processors; FUZZ=NAME for one. See tests/fuzz
#   make fuzz-keep  add what that found new to what make check replays
#   make overload   four times what can be signed, by one thread and with a large key, so that it is
#                   little: only 200 and 503, soon; a minute and a half
#   make soak       load, reloads, rotations and kills for MINUTES=10; REQUESTS=1000000 has so many
#                   tokens and refusals in its first part instead, half an hour or more
#   make check-keep  a kept token is read a thousand times a second while its keeper is killed: two
#                   minutes
#   make check-image  the tests of the container in the image's own file system: 3 minutes, root
#   make torture    faults of all kinds while tokens are made: a quarter of an hour, root; TORTURE='kill full'
#                   runs these parts alone
#   make coverage   lines and branches that the whole suite runs: a summary, and in build/coverage/report
#                   each line; fails below 95 and 90 of a hundred, and where a file that
#                   tests/coverage names, of policy, token files or verification, has a branch
#                   that is not run. Ten minutes, root
#   make check-valgrind  unit tests, tools, and the service, the reaper and the keeper as they serve,
#                   under valgrind: no error, no byte lost
#   make check-reproducible  whether two builds, and two packages, are identical: 6 minutes
#   make lint       the include law, the man pages, the shell scripts, the formatting; then
#                   clang-tidy and cppcheck, 3 minutes the first time, which make check leaves out
#   make format     apply .clang-format
#   make deb        install what is missing, and build the Debian package in build/deb
#   make check-package  test that package on a machine that boots: two minutes, root
#   make check-machine  the same in a fresh Debian 12: minutes, and the network
#   make install    into DESTDIR and PREFIX; make uninstall takes it away again
#   make clean
#
# SAN=address,undefined builds with sanitizers, in a folder of its own, and whatever they report of
# any process is a failure of "make check". V=1 shows commands.

VERSION := 1.0.0

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
CFLAGS  ?= -O2 -g
SAN     ?=
COUNTED ?=
V       ?= 0
SECONDS ?= 60
FUZZ    ?=

comma := ,
BUILD := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
Q     := $(if $(filter 1,$(V)),,@)
say    = $(if $(filter 1,$(V)),,$(info $()  $(1)    $(2)))

# --- what is built ----------------------------------------------------------------

FOLDERS  := base config jose identity store signer service
CORE     := $(foreach f,$(FOLDERS),$(sort $(wildcard core/$(f)/*.c)))
TOOLS    := $(patsubst tools/%.c,%,$(wildcard tools/authserver*.c))
LIBEXECS := authserver.fcgi authserver.cgi authserver-resolver authserver-password
PROGRAMS := $(addprefix $(BUILD)/,$(LIBEXECS) $(TOOLS))
UNITS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
# Unit tests that have something in the place of ours, a library that takes long to load, or a look
# at their own executable.
APART    := audit base_refused chain desk desk_failing gate jose_refused keep_files_there \
	keep_files_which keep_files_whose keep_hooks key_sets ldap_answers memory_answers \
	memory_identity memory_store pam program rundir script_failing serve_refused source_ldap \
	source_rest source_unix state_failing store_failing token_cache token_credentials token_file \
	token_http token_peer token_place token_settings unix_account
APART_SOURCES := $(patsubst %,tests/unit/test_%.c,$(APART)) \
	$(patsubst %,tests/unit/%.c,asking desks failures faults keeps memories refusals)
JOINED    = $(filter-out $(APART),$(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c)))
BENCHES  := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/*.c))
SOAK     := $(BUILD)/tests/soak/load
HELPERS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/lib/*.c))
PRELOADS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/preload/*.c))
TORTURES := $(patsubst %.c,$(BUILD)/%,$(filter-out %/heap.c %/late.c %/stand.c,$(wildcard tests/torture/*.c)))
PAGES    := $(wildcard man/*.[1-8])

object    = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY  := $(BUILD)/libauthserver.a

# Looked up when first used, and once, so that "make check" can install pkg-config before.
PACKAGES  = libcrypto jansson libconfuse
LIBS      = $(eval LIBS := $(shell pkg-config --libs $(PACKAGES)) -lacl)$(LIBS)

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# What says so to the sanitizers is linked into every program; and where reports go, in which
# each is a failure.
ifneq ($(SAN),)
REPORTS    := /tmp/authserver-$(shell echo '$(CURDIR)/$(BUILD)' | cksum | cut -d' ' -f1).reports
SANOPTIONS := $(BUILD)/tests/sanitizer/options.o
# They look for crypt_r(3) once, in the beginning, and PAM loads its library later.
SANLINK    := -Wl,--wrap=ENGINE_by_id,--export-dynamic-symbol=dlopen \
	-Wl,--push-state,--no-as-needed -lcrypt -Wl,--pop-state
endif

# What counts, for "make coverage", and where: programs of any user, in any folder.
ifneq ($(COUNTED),)
COUNTERS     := /tmp/authserver-$(shell echo '$(CURDIR)/$(BUILD)' | cksum | cut -d' ' -f1).counters
COUNTING     := $(BUILD)/tests/profile/counters.o
COUNTFLAGS   := -fprofile-arcs -ftest-coverage -fprofile-update=atomic -fdata-sections
COUNTLINK    := --coverage -Wl,--wrap=__gcov_exit,-Ttests/profile/counters.lds
UNCOUNTED    := -fno-profile-arcs -fno-test-coverage
endif

# Against defects that are still in it: tests/hardening.bats looks for each in what was built. The
# last four are for the compilers and the processors that know them.
HARDEN    = -fPIE -fstack-protector-strong $(FORTIFY) $(PROTECT)
FORTIFY  := $(if $(SAN)$(COUNTED),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
PROTECT   = $(eval PROTECT := $(call accepted,-fstack-clash-protection -fcf-protection=full \
	-mbranch-protection=standard -ftrivial-auto-var-init=zero))$(PROTECT)
accepted  = $(shell for flag in $(1); do \
	! $(CC) -Werror $$flag -fsyntax-only -x c /dev/null 2>/dev/null || echo $$flag; done)

# The same sources give the same bytes, wherever and whenever they are built: tests/reproducible.
SAME     := -ffile-prefix-map=$(CURDIR)=.

BUILD_CFLAGS   = -std=c11 -D_POSIX_C_SOURCE=200809L -DVERSION='"$(VERSION)"' -Icore -I. \
	-pthread $(WARNINGS) $(HARDEN) $(SAME) $(CFLAGS) $(SANFLAGS) $(COUNTFLAGS) -MMD -MP
BUILD_LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed \
	$(LDFLAGS) $(SANFLAGS) $(SANLINK) $(COUNTLINK)

.PHONY: all
all: $(PROGRAMS)

ifneq ($(SAN),)
$(SANOPTIONS): BUILD_CFLAGS += -DREPORTS='"$(REPORTS)"' -fno-sanitize=all
$(PROGRAMS) $(BUILD)/tests/unit/joined $(UNITS) $(HELPERS) $(BENCHES) $(TORTURES): $(SANOPTIONS) $(BUILD)/sanitizers

# For tests/run.
$(BUILD)/sanitizers: Makefile | $(DIRECTORIES)
	@printf '%s\n%s\n' '$(SAN)' '$(REPORTS)' >$@
endif

ifneq ($(COUNTED),)
$(COUNTING): BUILD_CFLAGS += -DCOUNTERS='"$(COUNTERS)"'
$(PROGRAMS) $(BUILD)/tests/unit/joined $(UNITS) $(HELPERS) $(TORTURES): $(COUNTING) tests/profile/counters.lds $(BUILD)/counters

# For tests/coverage.
$(BUILD)/counters: Makefile | $(DIRECTORIES)
	@echo '$(COUNTERS)' >$@
endif

DIRECTORIES := $(sort $(patsubst %/,$(BUILD)/%,$(dir $(wildcard */*.c */*/*.c))))
$(DIRECTORIES):
	@mkdir -p $@

$(BUILD)/%.o: %.c | $(DIRECTORIES)
	$(call say,CC,$<)
	$(Q)$(CC) $(BUILD_CFLAGS) -c -o $@ $<

$(LIBRARY): $(call object,$(CORE))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# What the library defines is looked for by all objects, wherever they stand in the list.
link = $(Q)$(CC) $(BUILD_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1) $(LIBS)

$(BUILD)/authserver.fcgi: $(call object,$(sort $(wildcard fcgi/*.c))) $(LIBRARY)
	$(call say,LD,$@)
	$(call link,-lfcgi -lseccomp)

$(BUILD)/authserver.cgi: $(call object,$(sort $(wildcard cgi/*.c))) $(LIBRARY)
	$(call say,LD,$@)
	$(call link)

# Nothing of the service but these two reaches for the network.
$(BUILD)/authserver-resolver: $(call object,$(sort $(wildcard resolver/*.c))) $(LIBRARY)
	$(call say,LD,$@)
	$(call link,-lldap -llber -lcurl)

$(BUILD)/authserver-password: $(call object,$(sort $(wildcard password/*.c))) $(LIBRARY)
	$(call say,LD,$@)
	$(call link,-lldap -llber -lpam)

# A tool is its own main and the sources of the folder of its name, if it has one.
.SECONDEXPANSION:
$(addprefix $(BUILD)/,$(TOOLS)): $(BUILD)/%: $(BUILD)/tools/%.o \
		$$(call object,$$(sort $$(wildcard tools/$$*/*.c))) $(LIBRARY)
	$(call say,LD,$@)
	$(call link,$(TOOL_LIBS))

# The client, which serves nobody and holds no key, asks web servers.
$(BUILD)/authserver-token: TOOL_LIBS = -lcurl $(shell pkg-config --libs krb5-gssapi)
$(BUILD)/tools/authserver-token/principal.o: BUILD_CFLAGS += $(shell pkg-config --cflags krb5-gssapi)

# What authserver carries inside: its manual page and the template of nginx's configuration.
$(BUILD)/tools/authserver/embedded.o: man/authserver.1 tools/authserver/nginx.conf.in

# Nobody waits for a test, but for its compilation.
$(call object,$(filter-out tests/fuzz/%,$(wildcard tests/*/*.c))): BUILD_CFLAGS += -O0 -U_FORTIFY_SOURCE $(UNCOUNTED)

# Unit tests are one program, which is linked once and has a name for each of them: a link takes as
# long as the compilation of a test. Their mains are called as they are, and joined.c has the main.
JOINS := -Wl,--export-dynamic-symbol='test_*' -lcmocka -lseccomp
$(call object,$(wildcard tests/unit/test_*.c)): BUILD_CFLAGS += -Dmain=$(*F) -Wno-missing-prototypes
$(BUILD)/tests/unit/joined: $(call object,$(filter-out $(APART_SOURCES),$(wildcard tests/unit/*.c)) \
		fcgi/accounts_remote.c fcgi/child.c fcgi/framing.c fcgi/landlock.c fcgi/sandbox.c fcgi/syscalls.c \
		resolver/job.c resolver/key_age.c resolver/outbox.c \
		tools/authserver-token/life.c tools/authserverctl/question.c) $(LIBRARY)
	$(call say,LD,$@)
	$(call link,$(JOINS))
	$(Q)cd $(@D) && for name in $(JOINED); do ln -sf joined test_$$name || exit; done

$(addprefix $(BUILD)/tests/unit/test_,$(JOINED)): $(BUILD)/tests/unit/joined ;

$(addprefix $(BUILD)/tests/unit/test_,$(APART)): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o \
		$(BUILD)/tests/unit/joined.o $(LIBRARY)
	$(call say,LD,$@)
	$(call link,$(JOINS) -lldap -llber -lcurl -lfcgi)

# What those that are apart need of a program, beside the library.
DESKS_UNITS := $(addprefix $(BUILD)/tests/unit/test_,desk desk_failing)
KEEPS_UNITS := $(addprefix $(BUILD)/tests/unit/test_keep_files_,there which whose)
ASKING_UNITS := $(addprefix $(BUILD)/tests/unit/test_token_,file http peer)
$(BUILD)/tests/unit/test_gate: $(call object,resolver/gate.c resolver/job.c resolver/outbox.c)
$(ASKING_UNITS): $(BUILD)/tests/unit/asking.o $(call object,$(addprefix tools/authserver-token/,ask.c \
	ask_http.c ask_peer.c fastcgi.c life.c request.c settings.c token_file.c url.c))
$(BUILD)/tests/unit/test_token_credentials: $(call object,tools/authserver-token/credentials.c)
$(BUILD)/tests/unit/test_pam: $(BUILD)/password/pam.o
$(KEEPS_UNITS): $(call object,tests/unit/keeps.c $(addprefix tools/authserver-keep/,gone.c \
	hook_spawn.c hooks.c inspect.c issuer.c keeper.c kept.c subjects.c))
$(BUILD)/tests/unit/test_keep_hooks: $(call object,$(addprefix tools/authserver-keep/,hooks.c \
	hook_spawn.c))
$(BUILD)/tests/unit/test_rundir: $(call object,$(addprefix tools/authserver/,child.c complain.c \
	embedded.c nginx_conf.c parts.c port.c rundir.c))
$(BUILD)/tests/unit/test_token_cache: $(call object,$(addprefix tools/authserver-token/,cache.c \
	flight.c life.c private.c))
$(BUILD)/tests/unit/test_token_place: $(call object,$(addprefix tools/authserver-token/,discover.c \
	life.c place.c private.c))
$(BUILD)/tests/unit/test_key_sets: $(call object,resolver/job.c resolver/key_age.c \
	resolver/key_sets.c resolver/outbox.c resolver/thread.c)
$(BUILD)/tests/unit/test_token_settings: $(call object,$(addprefix tools/authserver-token/,request.c \
	settings.c url.c))
$(DESKS_UNITS): $(call object,tests/unit/desks.c resolver/checker.c \
	resolver/desk.c resolver/gate.c resolver/job.c resolver/key_age.c resolver/key_sets.c \
	resolver/memory.c resolver/outbox.c resolver/serve.c resolver/thread.c)

$(addprefix $(BUILD)/tests/unit/test_,config config_groups config_keep config_password \
	config_profile config_verify): $(call object,tests/unit/configs.c)

# Calls that fail when a test says so.
FAILURES_UNITS := keep_files_there keep_files_which keep_files_whose keep_hooks pam rundir \
	token_cache token_credentials token_file token_http token_peer token_place
FAILURES_CALLS := malloc calloc realloc strdup asprintf __asprintf_chk getcwd mkdtemp fdopendir \
	getpwnam getgrgid fork fchown fchmod fstat fchownat fchmodat socket bind listen setsockopt \
	send write
wrap = $(patsubst %,-Wl$(comma)--wrap=%,$(1))
$(addprefix $(BUILD)/tests/unit/test_,$(FAILURES_UNITS)): $(BUILD)/tests/unit/failures.o
$(addprefix $(BUILD)/tests/unit/test_,$(FAILURES_UNITS)): BUILD_LDFLAGS += \
	$(call wrap,$(FAILURES_CALLS))
$(KEEPS_UNITS): BUILD_LDFLAGS += $(call wrap,getgrnam_r)
$(BUILD)/tests/unit/test_keep_files_whose: BUILD_LDFLAGS += $(call wrap,readdir dup)
$(BUILD)/tests/unit/test_keep_hooks: BUILD_LDFLAGS += $(call wrap,$(addprefix posix_spawnattr_,init \
	setflags setpgroup setsigmask setsigdefault) $(addprefix posix_spawn_file_actions_,init addopen \
	adddup2 addchdir_np addclosefrom_np))
$(BUILD)/tests/unit/test_pam: BUILD_LDFLAGS += $(call wrap,$(addprefix pam_,start end set_item \
	get_item strerror authenticate acct_mgmt))
$(BUILD)/tests/unit/test_rundir: BUILD_LDFLAGS += $(call wrap,readlink)
$(BUILD)/tests/unit/test_token_http: BUILD_LDFLAGS += $(call wrap,$(addprefix curl_,easy_init \
	easy_setopt slist_append url))

# Threads that cannot be started.
$(DESKS_UNITS): BUILD_LDFLAGS += -Wl,--wrap=pthread_create

# Calls that fail: all that refusals.c has something in the place of.
REFUSALS_UNITS := $(addprefix $(BUILD)/tests/unit/test_,base_refused jose_refused serve_refused)
$(REFUSALS_UNITS): $(call object,$(addprefix tests/unit/,keys.c refusals.c tokens.c)) \
	$(BUILD)/tests/unit/refusals.wrap
$(REFUSALS_UNITS): BUILD_LDFLAGS += -Wl,@$(BUILD)/tests/unit/refusals.wrap
$(BUILD)/tests/unit/test_serve_refused: $(call object,$(addprefix fcgi/,accounts_remote.c child.c \
	connections.c entrances.c exchange.c framing.c handover.c landlock.c listener.c peers.c \
	sandbox.c slot.c syscalls.c worker.c) resolver/checker.c resolver/desk.c \
	resolver/gate.c resolver/job.c resolver/key_age.c resolver/key_sets.c resolver/memory.c \
	resolver/outbox.c resolver/serve.c resolver/thread.c)
$(BUILD)/tests/unit/refusals.wrap: $(BUILD)/tests/unit/refusals.o
	$(Q)nm --defined-only $< | sed -n 's/.* T __wrap_/--wrap=/p' >$@

# Calls of ours that fail: the system's and libldap's.
FAULTS := chdir connect dup2 dup3 faccessat fchmod fchmodat fchown fchownat fcntl flock fork fstat \
	fstatat fsync futimens getdents64 getrandom getsockopt getxattr inotify_add_watch inotify_init1 \
	ldap_get_dn ldap_init_fd ldap_sasl_bind ldap_search_ext ldap_set_option ldap_start_tls linkat \
	mkdirat mmap open openat pidfd_open pipe2 poll pread pwrite read recv renameat renameat2 send \
	setrlimit socket socketpair unlinkat waitpid write
FAULTS_UNITS := $(addprefix $(BUILD)/tests/unit/test_,audit ldap_answers script_failing \
	state_failing store_failing)
$(FAULTS_UNITS): $(call object,$(addprefix tests/unit/,faults.c states.c stores.c))
$(FAULTS_UNITS): BUILD_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,$(FAULTS))

# Accounts and groups that are the test's.
$(BUILD)/tests/unit/test_unix_account: BUILD_LDFLAGS += \
	-Wl,--wrap=getpwnam_r,--wrap=getspnam_r,--wrap=malloc,--wrap=stat
$(BUILD)/tests/unit/test_source_unix: BUILD_LDFLAGS += \
	-Wl,--wrap=getgrgid_r,--wrap=getgrouplist,--wrap=getpwnam_r

# A heap that fails.
$(addprefix $(BUILD)/tests/unit/test_memory_,answers identity store): $(call object,\
	tests/torture/heap.c $(addprefix tests/unit/,memories.c states.c stores.c))
$(BUILD)/tests/unit/test_memory_answers: $(BUILD)/tests/unit/shapes.o

$(HELPERS): $(BUILD)/tests/lib/%: $(BUILD)/tests/lib/%.o
	$(call say,LD,$@)
	$(call link)

$(BUILD)/tests/lib/passwords: $(LIBRARY)

# What is fuzzed: one program for libFuzzer, and one for the inputs that are known.
FUZZ_MAINS := $(addprefix $(BUILD)/tests/fuzz/,fuzzer replay)
FUZZED := $(wildcard core/base/*.c core/config/*.c core/jose/*.c) fcgi/framing.c \
	$(addprefix core/identity/,freshness.c groups_json.c http_answer.c http_url.c key_set.c \
	ldap_filter.c lookup_message.c membership.c password.c permit.c policy.c principal.c \
	rule.c source.c source_rest_url.c subject.c) \
	$(addprefix core/service/,bearer.c fields.c form.c request.c response.c route.c) \
	$(addprefix core/signer/,claims.c message.c shape.c) \
	$(addprefix core/store/,refresh_head.c refresh_record.c refresh_token.c \
	revocation_entry.c revocation_name.c system_error.c token_name.c) \
	$(addprefix tools/authserver-token/,fastcgi.c life.c settings.c url.c)
FUZZ_TARGETS := $(filter-out tests/fuzz/fuzzer.c tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
$(FUZZ_MAINS): %: %.o $(call object,$(FUZZ_TARGETS) $(FUZZED))
	$(call say,LD,$@)
	$(call link,-lfcgi -lcurl)

# What tests have programs find instead of what the C library has.
$(PRELOADS): BUILD_CFLAGS += -fPIC
$(PRELOADS): $(BUILD)/%.so: $(BUILD)/%.o
	$(call say,LD,$@)
	$(Q)$(CC) -shared -o $@ $< $(LDFLAGS) $(SANFLAGS)

# The client of soak and overload has to cost less than what it asks.
$(call object,$(wildcard tests/soak/*.c)): BUILD_CFLAGS += -O2
$(SOAK): $(call object,$(wildcard tests/soak/*.c))
	$(call say,LD,$@)
	$(call link)

$(BENCHES): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(LIBRARY)
	$(call say,LD,$@)
	$(call link,-lfcgi)

# Programs of the torture. The heap that fails is linked into one and preloaded into others.
$(TORTURES): $(BUILD)/tests/torture/%: $(BUILD)/tests/torture/%.o $(LIBRARY)
	$(call say,LD,$@)
	$(call link)

$(BUILD)/tests/torture/allocation: $(BUILD)/tests/torture/heap.o $(BUILD)/tests/torture/stand.o
$(BUILD)/tests/torture/heap.o $(BUILD)/tests/torture/late.o: BUILD_CFLAGS += -fPIC
$(BUILD)/tests/torture/heap.so: $(BUILD)/tests/torture/heap.o
$(BUILD)/tests/torture/late.so: $(BUILD)/tests/torture/late.o $(BUILD)/tests/torture/heap.o
$(BUILD)/tests/torture/heap.so $(BUILD)/tests/torture/late.so:
	$(call say,LD,$@)
	$(Q)$(CC) -shared -o $@ $^ $(LDFLAGS) $(SANFLAGS)

-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')

# --- run, check, bench: from a bare Debian 12 -------------------------------------

PROCESSORS = $(shell nproc)

.PHONY: run check check-image bench overload soak
run:
	@deploy/packages build run
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all
	@tools/demo $(BUILD)

check:
	@deploy/packages build run check
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all $(BUILD)/units $(BUILD)/helpers
	@$(IN_REPLAY) build/replay/tests/fuzz/replay
	@tests/run $(BUILD)

# Both have sanitizers whatever SAN says, with options of their own, and so folders of their own.
IN_REPLAY = $(MAKE) --no-print-directory -j$(PROCESSORS) BUILD=build/replay SAN=address,undefined SANLINK= \
	CFLAGS='-O0 -g1 -Wno-format-truncation'
IN_FUZZ = $(MAKE) --no-print-directory -j$(PROCESSORS) BUILD=build/fuzz SAN=address,undefined SANLINK= \
	CC=clang-14 CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' LDFLAGS=-fsanitize=fuzzer

.PHONY: fuzz fuzz-keep
fuzz fuzz-keep:
	@deploy/packages build fuzz
	@$(IN_FUZZ) build/fuzz/tests/fuzz/fuzzer
	@FUZZ='$(FUZZ)' tests/fuzz/run build/fuzz $(if $(filter fuzz,$@),$(SECONDS),--keep)

check-image:
	@deploy/packages build run check image
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all
	@tests/image $(BUILD)

bench:
	@deploy/packages build run bench
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all $(BUILD)/benches
	@bench/run $(BUILD)

# What allocates is built with AddressSanitizer, which sees what leaks on the way out.
TORTURE ?=
.PHONY: torture
torture:
	@deploy/packages build torture
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all $(BUILD)/helpers $(TORTURES) \
		$(BUILD)/tests/torture/heap.so $(BUILD)/tests/torture/late.so
	@$(MAKE) --no-print-directory -j$(PROCESSORS) SAN=address,undefined \
		build/address-undefined/tests/torture/allocation
	@tests/torture/run $(BUILD) $(TORTURE)

overload soak:
	@deploy/packages build run soak
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all $(SOAK)
	@tests/soak/$@ $(BUILD)

# Locals are as the stack was, so that valgrind sees which are used before they are set.
.PHONY: check-valgrind
check-valgrind:
	@deploy/packages build run check valgrind
	@$(MAKE) --no-print-directory -j$(PROCESSORS) BUILD=build/valgrind \
		CFLAGS='-O1 -g -ftrivial-auto-var-init=uninitialized' all \
		build/valgrind/units build/valgrind/helpers
	@tests/memcheck build/valgrind

# Unoptimised, so that a branch is one of the source.
.PHONY: coverage
coverage:
	@deploy/packages build run check coverage
	@$(IN_REPLAY) build/replay/tests/fuzz/replay
	@$(MAKE) --no-print-directory -j$(PROCESSORS) BUILD=build/coverage COUNTED=yes CC=gcc \
		CFLAGS='-O0 -g -Wno-format-truncation' all build/coverage/units \
		build/coverage/helpers build/coverage/tests/torture/allocation
	@tests/coverage build/coverage

.PHONY: $(BUILD)/units $(BUILD)/helpers $(BUILD)/benches
$(BUILD)/units: $(UNITS)
$(BUILD)/helpers: $(HELPERS) $(PRELOADS)
$(BUILD)/benches: $(BENCHES)

# --- lint, format -----------------------------------------------------------------

.PHONY: lint format
lint:
	@deploy/packages lint
	@tests/lint
	@tests/analyse build/analysed

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

# --- install ----------------------------------------------------------------------

LIBEXEC := $(DESTDIR)$(PREFIX)/lib/authserver
SHARE   := $(DESTDIR)$(PREFIX)/share/authserver

# Where systemd looks for units, accounts and directories, below /usr/local too.
UNITS_TO ?= $(PREFIX)/lib/systemd/system
SYSTEMD   = $(wildcard $(addprefix deploy/systemd/*.,service socket timer))
SHARED    = $(wildcard nginx/* apache/* $(addprefix deploy/,examples/* guides/* cron/* logrotate/* \
	systemd/drop-ins/*/*.conf))

COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_TO     ?= $(PREFIX)/share/zsh/site-functions

# What names /usr/local is installed as it is for this PREFIX: $(call fill,FILES,FOLDER), and
# $(call fill_as,FILE,TO).
fill    = install -D -m 0644 -t $(2) $(1) $(call name_prefix,$(addprefix $(2)/,$(notdir $(1))))
fill_as = install -D -m 0644 $(1) $(2) $(call name_prefix,$(2))
name_prefix = $(if $(filter-out /usr/local,$(PREFIX)),&& sed -i 's|/usr/local|$(PREFIX)|g' $(1)) || exit 1;

.PHONY: install uninstall deb clean
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(LIBEXEC)
	install -m 0755 $(addprefix $(BUILD)/,$(TOOLS)) $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(addprefix $(BUILD)/,$(LIBEXECS)) $(LIBEXEC)
	@$(foreach d,$(patsubst %/,%,$(sort $(dir $(SHARED)))), \
		$(call fill,$(filter $(d)/%,$(SHARED)),$(SHARE)/$(d:deploy/%=%)))
	@$(call fill,$(SYSTEMD),$(DESTDIR)$(UNITS_TO))
	@$(call fill_as,deploy/systemd/authserver.sysusers,$(DESTDIR)$(PREFIX)/lib/sysusers.d/authserver.conf)
	@$(call fill_as,deploy/systemd/authserver.tmpfiles,$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/authserver.conf)
	@$(foreach n,$(subst .,,$(sort $(suffix $(PAGES)))), \
		$(call fill,$(filter %.$(n),$(PAGES)),$(DESTDIR)$(PREFIX)/share/man/man$(n)))
	install -D -m 0644 deploy/completion/_authserver $(DESTDIR)$(ZSH_TO)/_authserver
	install -D -m 0644 deploy/completion/authserver $(COMPLETIONS)/authserver
	@cd $(COMPLETIONS) && for name in $(filter-out authserver,$(TOOLS)); do \
		ln -sf authserver $$name; \
	done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(TOOLS)) $(addprefix $(COMPLETIONS)/,$(TOOLS))
	rm -f $(DESTDIR)$(ZSH_TO)/_authserver
	for page in $(PAGES); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done
	rm -f $(addprefix $(DESTDIR)$(UNITS_TO)/,$(notdir $(SYSTEMD)))
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/authserver.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/authserver.conf
	rm -rf $(LIBEXEC) $(SHARE)

deb:
	@deploy/packages build deb
	@deploy/debian/build $(VERSION) build/deb

# Ten minutes of a clock that runs five times as fast, for what keep.bats has one minute of in
# "make check": a file is read a thousand times a second while its keeper is killed. It takes two.
.PHONY: check-keep
check-keep:
	@deploy/packages build run check
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all $(BUILD)/helpers
	@AUTHSERVER_BUILD=$(BUILD) KEEP_SECONDS=600 KEEP_HURRY=5 KEEP_READS=1000 \
		bats tests/keep.bats -f 'a reader sees'

# The test of the package and its units on a machine that boots from this one's own files: two
# minutes, and root.
.PHONY: check-package
check-package:
	@deploy/packages build run check deb
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all
	@AUTHSERVER_BUILD=$(BUILD) bats tests/deb.bats

# The test of the package in a fresh Debian 12, which stays in /var/cache/authserver-machine: it
# takes some minutes, the network and root.
.PHONY: check-machine
check-machine: deb
	@deploy/packages run check
	@$(MAKE) --no-print-directory -j$(PROCESSORS) all
	@tests/machine $(BUILD)

# All that is built, and the package, each built twice in different places and compared.
.PHONY: check-reproducible
check-reproducible:
	@deploy/packages build run check deb
	@tests/reproducible all
	@tests/reproducible deb

clean:
	rm -rf build
