/**
 * One norm kernel for each kind of layer that has one, and the arithmetic under them: OpenBLAS
 * called directly, loops over native memory, arrays that are kept. A kernel sees one layer, its
 * input and the epsilons of the tasks. It knows no network and no task by name. To add one,
 * implement {@code NormKernel} and name it in {@code NormKernels}; the oracle tests decide whether
 * it is right.
 *
 * <p>For core alone: whatever is public here may change or go in any release.
 */
package org.gradnorm4j.core.internal.kernel;
