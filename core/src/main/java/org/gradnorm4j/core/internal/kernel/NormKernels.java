package org.gradnorm4j.core.internal.kernel;

import java.util.Optional;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;

/** Chooses the norm kernel for a shared layer. */
public final class NormKernels {
  private NormKernels() {}

  /**
   * The kernel for this layer: {@link DenseNormKernel} for a dense layer without layer
   * normalization and weight noise, {@link ConvolutionNormKernel} for a convolution with channels
   * first, none for any other.
   */
  public static Optional<NormKernel> of(Layer layer, DenseNormKernel.Method denseMethod) {
    if (DenseBackward.isFor(layer)) {
      return Optional.of(
          new DenseNormKernel((DenseLayer) layer, denseMethod, TaskRows.MOST_ELEMENTS));
    }
    if (layer instanceof ConvolutionLayer convolution && ConvolutionNormKernel.isFor(convolution)) {
      return Optional.of(
          new ConvolutionNormKernel(
              convolution, ConvolutionNormKernel.MOST_ELEMENTS, TaskRows.MOST_ELEMENTS));
    }
    return Optional.empty();
  }
}
