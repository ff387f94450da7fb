package org.gradnorm4j.core.accelerate;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OpenBlasKernelTest {
  /** Where the environment names a kernel, OpenBLAS has taken that one. */
  @Test
  void name_isTheOneOpenBlasWasTold() {
    String wanted = System.getenv("OPENBLAS_CORETYPE");
    assertThat(OpenBlasKernel.name())
        .hasValueSatisfying(
            name ->
                assertThat(name)
                    .isNotBlank()
                    .isEqualToIgnoringCase(wanted == null ? name : wanted));
  }

  @Test
  void advice_isForKernelsThatLeaveAvx512Unused() {
    String cpu = "flags : fpu sse2 avx2 avx512f avx512dq";
    assertThat(OpenBlasKernel.advice("Haswell", cpu))
        .hasValueSatisfying(
            advice -> assertThat(advice).contains("'Haswell'", "OPENBLAS_CORETYPE=SkylakeX"));
    assertThat(OpenBlasKernel.advice("SkylakeX", cpu)).isEmpty();
    assertThat(OpenBlasKernel.advice("Haswell", "flags : fpu sse2 avx2")).isEmpty();
  }
}
