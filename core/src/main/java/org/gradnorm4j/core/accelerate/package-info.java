/**
 * What makes training faster on this machine: {@link org.gradnorm4j.core.accelerate.OpenBlasKernel}
 * tells which kernel OpenBLAS has chosen for the CPU. Knows nothing of measuring; may be used
 * without it.
 */
package org.gradnorm4j.core.accelerate;
