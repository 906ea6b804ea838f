#!/usr/bin/env bats
# Two builds of the same sources are identical. "make check-reproducible" compares all that is
# built; here it is one archive of two sources, built as everything is.

@test "neither the place nor the time of a build is in what is built" {
    "$BATS_TEST_DIRNAME/reproducible" CORE='core/base/text.c core/jose/jws.c' build/libauthserver.a
}
