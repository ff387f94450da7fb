package org.gradnorm4j.core;

import java.util.Map;
import java.util.Set;
import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The backward pass of a dense layer a = f(z), z = xW + b, taken apart so that what the norms need
 * is computed once for both: the place z at which f' is evaluated.
 *
 * <p>Of ReLU the output a does as well as z, f'(z) being 1 where a > 0 and 0 elsewhere; of identity
 * nothing is needed. Both spare the product xW, which DL4J's own backward pass does again. For the
 * rest the products are DL4J's, by the same operations on arrays laid out the same way: bit for bit
 * its result.
 */
final class DenseBackward {
  /** Those that work element by element. */
  private static final Set<Class<? extends IActivation>> ELEMENTWISE =
      Set.of(
          ActivationCube.class,
          ActivationELU.class,
          ActivationGELU.class,
          ActivationHardSigmoid.class,
          ActivationHardTanH.class,
          ActivationIdentity.class,
          ActivationLReLU.class,
          ActivationMish.class,
          ActivationRationalTanh.class,
          ActivationReLU.class,
          ActivationRectifiedTanh.class,
          ActivationSELU.class,
          ActivationSigmoid.class,
          ActivationSoftPlus.class,
          ActivationSoftSign.class,
          ActivationSwish.class,
          ActivationTanH.class);

  private final DenseLayer layer;
  private final IActivation activation;
  private INDArray outputs;
  private INDArray outputsInput;
  private INDArray z;
  private INDArray zInput;
  private INDArray gradientsView;
  private Map<String, INDArray> gradients;

  DenseBackward(DenseLayer layer) {
    this.layer = layer;
    this.activation = layer.layerConf().getActivationFn();
  }

  boolean isIdentity() {
    return activation instanceof ActivationIdentity;
  }

  /** Whether f'(z) ⊙ ε is all there is to the activation's backward pass. */
  boolean isElementwise() {
    return ELEMENTWISE.contains(activation.getClass());
  }

  /** A plain ReLU: f'(z) can be read off a. */
  private boolean isReadOffOutputs() {
    return activation.equals(new ActivationReLU());
  }

  /** The training forward pass gave this; copied, as a layer behind may write into it. */
  void forward(INDArray a) {
    forget();
    if (isReadOffOutputs()) {
      if (outputs == null || !outputs.equalShapes(a) || outputs.dataType() != a.dataType()) {
        outputs = detached(a);
      }
      outputs.assign(a);
      outputsInput = layer.input();
    }
  }

  /** What was kept of a step is of no more use. */
  void forget() {
    z = null;
    zInput = null;
    outputsInput = null;
  }

  @SuppressWarnings("try") // the scope is there to be open, not to be named
  private static INDArray detached(INDArray like) {
    try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
      return Nd4j.createUninitialized(like.dataType(), like.shape(), 'c');
    }
  }

  /** An array at which the activation's derivative is that at z. Not to be modified. */
  INDArray derivativePoint(LayerWorkspaceMgr workspaces) {
    INDArray input = layer.input(); // another one, if that forward pass was not seen
    if (outputsInput != null && outputsInput == input) {
      return outputs;
    }
    if (z == null || zInput != input) {
      z = preActivation(workspaces);
      zInput = input;
    }
    return z;
  }

  /** z = xW + b, as DL4J computes it. */
  private INDArray preActivation(LayerWorkspaceMgr workspaces) {
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

  /** δ = ε ⊙ f'(z); may write into both. */
  INDArray delta(INDArray derivativePoint, INDArray epsilon) {
    return activation.backprop(derivativePoint, epsilon).getFirst();
  }

  /**
   * The layer's backward pass: ∂S/∂W = xᵀδ, ∂S/∂b = Σ δ, ∂S/∂x = δWᵀ.
   *
   * @param epsilon ∂S/∂a; may be modified
   */
  Pair<Gradient, INDArray> run(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    INDArray delta =
        isIdentity() ? epsilon : delta(derivativePoint(workspaces), epsilon); // z is of no more use
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
