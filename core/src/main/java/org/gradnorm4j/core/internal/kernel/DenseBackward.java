package org.gradnorm4j.core.internal.kernel;

import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The backward pass of a dense layer a = f(z), z = xW + b, taken apart so that what the norms need
 * is computed once for both: z, at which f' is evaluated. Where the output does as well, the
 * product xW, which DL4J's own backward pass does again, is spared. The rest is DL4J's arithmetic
 * by the same operations on arrays laid out the same way: bit for bit its result.
 */
public final class DenseBackward {
  private final DenseLayer layer;
  private final ActivationDerivative activation;
  private INDArray z;
  private INDArray zInput;
  private INDArray gradientsView;
  private Map<String, INDArray> gradients;

  public DenseBackward(DenseLayer layer, ActivationDerivative activation) {
    this.layer = layer;
    this.activation = activation;
  }

  /** Whether this is the layer's backward pass: not with layer normalization or weight noise. */
  public static boolean isFor(Layer layer) {
    return layer instanceof DenseLayer dense
        && dense.getClass() == DenseLayer.class
        && !dense.hasLayerNorm()
        && dense.layerConf().getWeightNoise() == null;
  }

  /** What was kept of a step is of no more use. */
  void forget() {
    forgetProduct();
    activation.forget();
  }

  /** z is computed again when it is asked for. */
  void forgetProduct() {
    z = null;
    zInput = null;
  }

  /** z, or what does as well. Not to be modified. */
  INDArray preActivation(LayerWorkspaceMgr workspaces) {
    INDArray input = layer.input();
    INDArray standIn = activation.standIn(input);
    if (standIn != null) {
      return standIn;
    }
    if (z == null || zInput != input) {
      z = product(workspaces);
      zInput = input;
    }
    return z;
  }

  /** z = xW + b, as DL4J computes it. */
  private INDArray product(LayerWorkspaceMgr workspaces) {
    INDArray weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    INDArray x = layer.input().castTo(weights.dataType());
    INDArray result =
        workspaces.createUninitialized(
            ArrayType.BP_WORKING_MEM, weights.dataType(), x.size(0), weights.size(1));
    x.mmuli(weights, result);
    if (layer.hasBias()) {
      result.addiRowVector(layer.getParam(DefaultParamInitializer.BIAS_KEY));
    }
    return result;
  }

  /**
   * The layer's backward pass: ∂S/∂W = xᵀδ, ∂S/∂b = Σ δ, ∂S/∂x = δWᵀ.
   *
   * @param epsilon ∂S/∂a; may be modified
   */
  public Pair<Gradient, INDArray> run(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    INDArray delta =
        activation.isIdentity()
            ? epsilon
            : activation.backprop(preActivation(workspaces), epsilon); // z is of no more use
    forget();
    Gradient result = new DefaultGradient();
    if (layer.hasBias()) {
      INDArray biasGradient = gradients().get(DefaultParamInitializer.BIAS_KEY);
      delta.sum(biasGradient, 0);
      result.setGradientFor(DefaultParamInitializer.BIAS_KEY, biasGradient);
    }
    INDArray weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    INDArray inputEpsilon =
        workspaces.createUninitialized(
            ArrayType.ACTIVATION_GRAD,
            delta.dataType(),
            new long[] {weights.size(0), delta.size(0)},
            'f');
    inputEpsilon = weights.mmuli(delta.transpose(), inputEpsilon).transpose();
    INDArray weightGradient = gradients().get(DefaultParamInitializer.WEIGHT_KEY);
    INDArray x = layer.input().castTo(weightGradient.dataType());
    Nd4j.gemm(x, delta, weightGradient, true, false, 1.0, 0.0);
    result.setGradientFor(DefaultParamInitializer.WEIGHT_KEY, weightGradient);
    IDropout dropout = layer.layerConf().getIDropout();
    if (dropout != null) {
      inputEpsilon =
          dropout.backprop(
              inputEpsilon, inputEpsilon, layer.getIterationCount(), layer.getEpochCount());
    }
    return new Pair<>(result, inputEpsilon);
  }

  /** The layer's parts of the network's gradient array. */
  private Map<String, INDArray> gradients() {
    INDArray view = layer.getGradientsViewArray();
    if (gradientsView != view) { // init() gives the network new ones
      gradientsView = view;
      gradients = layer.layerConf().initializer().getGradientsFromFlattened(layer.conf(), view);
    }
    return gradients;
  }
}
