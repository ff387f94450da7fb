/**
 * What is inside the losses of {@code core.loss}: a term, and what may be done with the arrays that
 * go through a loss function.
 *
 * <p>For core alone: whatever is public here may change or go in any release.
 */
package org.gradnorm4j.core.internal.loss;
