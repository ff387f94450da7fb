package org.gradnorm4j.core.internal.kernel;

import java.util.Arrays;
import java.util.Objects;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.ConvolutionUtils;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.convolution.Convolution;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Norm kernel of a convolution, channels first. With C the patches of the input as rows (im2col),
 * [N·H·W, in·kH·kW], and δ_i = ε_i ⊙ f'(z) as [N·H·W, out], the gradient of task i is Cᵀδ_i. The
 * δ_i of several tasks stand side by side, so that one product gives their gradients: of all tasks,
 * if the δ_i and the gradients have no more than {@link #MOST_ELEMENTS} elements each, else of as
 * many at a time as have, and of one at least.
 *
 * <p>C is what a convolution spends its time on. It is made once, for the norms and for the layer's
 * own backward pass, which takes it (and z) from the fields in which DL4J itself keeps them when it
 * caches. Of a plain ReLU and of identity z is not needed either.
 */
final class ConvolutionNormKernel implements NormKernel {
  /**
   * The bound on the δ_i that stand side by side, and on their gradients: 16 MB of floats. Products
   * this large gain nothing from being larger still.
   */
  static final long MOST_ELEMENTS = 1 << 22;

  private final ConvolutionLayer layer;
  private final long mostElements;
  private final ActivationDerivative activation;
  private final KeptArray allDeltas = new KeptArray('c');
  private final KeptArray gradients = new KeptArray('f');
  private final TaskRows rows = new TaskRows();
  private final long mostRowElements;
  private INDArray patches;
  private INDArray patchesOf;
  private INDArray z;

  /**
   * With the bound, and that on all gradients at a time where their inner products are wanted, in
   * elements.
   */
  ConvolutionNormKernel(ConvolutionLayer layer, long mostElements, long mostRowElements) {
    this.layer = layer;
    this.mostElements = mostElements;
    this.mostRowElements = mostRowElements;
    this.activation = new ActivationDerivative(layer.layerConf().getActivationFn());
  }

  /** Whether this kernel is for the layer: not with what DL4J would do elsewhere or differently. */
  static boolean isFor(ConvolutionLayer layer) {
    return layer.getClass() == ConvolutionLayer.class
        && layer.getHelper() == null
        && layer.layerConf().getCnn2dDataFormat() == CNN2DFormat.NCHW
        && layer.layerConf().getWeightNoise() == null
        && new ActivationDerivative(layer.layerConf().getActivationFn()).isElementwise();
  }

  @Override
  public void forward(INDArray output) {
    patchesOf = null;
    activation.forward(output, layer.getMaskArray() == null ? layer.input() : null);
  }

  @Override
  public void addSquaredNorms(
      INDArray[] taskEpsilons, double[] squaredNorms, LayerWorkspaceMgr workspaces) {
    patchesOf = null;
    prepare(workspaces);
    activation.at(z);
    int present = (int) Arrays.stream(taskEpsilons).filter(Objects::nonNull).count();
    if (present == 0) {
      return;
    }
    DataType type = weights().dataType();
    long out = weights().size(0);
    int[] group = new int[groupSize(present)];
    INDArray deltas = allDeltas.sized(type, group.length * out, patches.size(0));
    INDArray gradient = gradients.sized(type, patches.size(1), group.length * out);
    int filled = 0;
    for (int task = 0; task < taskEpsilons.length; task++) {
      if (taskEpsilons[task] != null) {
        put(taskEpsilons[task].castTo(type), deltas, filled * out);
        group[filled++] = task;
        present--;
      }
      if (filled == group.length || (filled > 0 && present == 0)) {
        Blas.INSTANCE.transposedProduct(patches, deltas.transpose(), gradient);
        long size = patches.size(1) * out;
        for (int i = 0; i < filled; i++) {
          squaredNorms[group[i]] += Blas.INSTANCE.squaredNorm(gradient, i * size, size);
        }
        filled = 0;
      }
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>If the gradients are more than the bound, a part of the output's channels is taken at a
   * time, and one task at a time to its δ_i, which is made again for each part.
   */
  @Override
  public void addGram(INDArray[] taskEpsilons, double[][] gram, LayerWorkspaceMgr workspaces) {
    patchesOf = null;
    prepare(workspaces);
    activation.at(z);
    int[] tasks = TaskRows.present(taskEpsilons);
    if (tasks.length == 0) {
      return;
    }
    DataType type = weights().dataType();
    long out = weights().size(0);
    long channels = TaskRows.parts(mostRowElements, tasks.length, patches.size(1), out);
    int group = channels < out ? 1 : groupSize(tasks.length);
    INDArray deltas = allDeltas.sized(type, group * out, patches.size(0));
    for (long from = 0; from < out; from += channels) {
      long count = Math.min(channels, out - from);
      rows.begin(type, tasks.length, patches.size(1) * count);
      for (int first = 0; first < tasks.length; first += group) {
        int filled = Math.min(group, tasks.length - first);
        for (int i = 0; i < filled; i++) {
          put(taskEpsilons[tasks[first + i]].castTo(type), deltas, i * out);
        }
        INDArray gradient = rows.view(first, 'f', patches.size(1), filled * count);
        Blas.INSTANCE.transposedProduct(
            patches, rows(deltas, from, filled * count).transpose(), gradient);
      }
      rows.addProducts(tasks, gram);
    }
  }

  /** A view of some rows of an array in row order. */
  private static INDArray rows(INDArray array, long from, long count) {
    long[] shape = {count, array.size(1)};
    return Nd4j.create(
        array.data(),
        shape,
        Nd4j.getStrides(shape, 'c'),
        array.offset() + from * array.size(1),
        'c');
  }

  /** The fewest groups within the bound, all of one size but for the last. */
  private int groupSize(int tasks) {
    long largest = weights().size(0) * Math.max(patches.size(0), patches.size(1));
    long atATime = Math.max(1, mostElements / largest);
    long groups = Math.max(1, (tasks + atATime - 1) / atATime);
    return (int) ((tasks + groups - 1) / groups);
  }

  /** δ of [N, out, H, W] into the rows of one task, [out, N·H·W]. */
  private void put(INDArray epsilon, INDArray deltas, long from) {
    long n = epsilon.size(0);
    long out = epsilon.size(1);
    long h = epsilon.size(2);
    long w = epsilon.size(3);
    INDArray target =
        Nd4j.create(
            deltas.data(),
            new long[] {n, out, h, w},
            new long[] {h * w, n * h * w, w, 1},
            deltas.offset() + from * n * h * w,
            'c');
    activation.multiply(epsilon, target);
  }

  @Override
  public Pair<Gradient, INDArray> backward(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    prepare(workspaces);
    BackwardState.setConvolution(layer, patches, z);
    try {
      return layer.backpropGradient(epsilon, workspaces);
    } finally {
      BackwardState.setConvolution(layer, null, null);
      patches = null;
      patchesOf = null;
      z = null;
      activation.forget();
    }
  }

  /** Makes C, and z or what does as well, once for this input. */
  private void prepare(LayerWorkspaceMgr workspaces) {
    INDArray input = layer.input();
    if (patchesOf == input) {
      return;
    }
    patches = patches(input.castTo(weights().dataType()));
    patchesOf = input;
    z = activation.standIn(input);
    if (z == null) {
      z = preActivation(workspaces);
    }
  }

  private INDArray weights() {
    return layer.getParam(ConvolutionParamInitializer.WEIGHT_KEY);
  }

  /** [N·H·W, in·kH·kW], as DL4J makes it. */
  private INDArray patches(INDArray input) {
    int[] size = outputSize(input);
    int[] kernel = layer.layerConf().getKernelSize();
    int[] stride = layer.layerConf().getStride();
    int[] dilation = layer.layerConf().getDilation();
    boolean same = layer.getConvolutionMode() == ConvolutionMode.Same;
    int[] padding =
        same
            ? ConvolutionUtils.getSameModeTopLeftPadding(
                size,
                new int[] {(int) input.size(2), (int) input.size(3)},
                kernel,
                stride,
                dilation)
            : layer.layerConf().getPadding();
    long in = input.size(1);
    INDArray patches =
        Nd4j.createUninitialized(
            input.dataType(),
            new long[] {input.size(0), size[0], size[1], in, kernel[0], kernel[1]},
            'c');
    Convolution.im2col(
        input,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        padding[0],
        padding[1],
        dilation[0],
        dilation[1],
        same,
        patches.permute(0, 3, 4, 5, 1, 2));
    return patches.reshape('c', input.size(0) * size[0] * size[1], in * kernel[0] * kernel[1]);
  }

  private int[] outputSize(INDArray input) {
    boolean same = layer.getConvolutionMode() == ConvolutionMode.Same;
    return ConvolutionUtils.getOutputSize(
        input,
        layer.layerConf().getKernelSize(),
        layer.layerConf().getStride(),
        same ? null : layer.layerConf().getPadding(),
        layer.getConvolutionMode(),
        layer.layerConf().getDilation(),
        CNN2DFormat.NCHW);
  }

  /** z = CW + b, as DL4J computes it and lays it out. */
  private INDArray preActivation(LayerWorkspaceMgr workspaces) {
    INDArray weights = weights();
    long out = weights.size(0);
    INDArray flat = weights.permute(3, 2, 1, 0).reshape('f', patches.size(1), out);
    INDArray result =
        workspaces.createUninitialized(
            ArrayType.BP_WORKING_MEM, weights.dataType(), new long[] {patches.size(0), out}, 'f');
    patches.mmuli(flat, result);
    if (layer.hasBias()) {
      result.addiRowVector(layer.getParam(ConvolutionParamInitializer.BIAS_KEY));
    }
    int[] size = outputSize(layer.input());
    return result.reshape('f', size[1], size[0], layer.input().size(0), out).permute(2, 3, 1, 0);
  }
}
