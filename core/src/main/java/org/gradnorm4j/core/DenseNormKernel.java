package org.gradnorm4j.core;

import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Norm kernel of a dense layer a = f(z), z = xW + b. With ε_i the epsilon of task i and δ_i = ε_i ⊙
 * f'(z), the gradient is ∇_W S_i = xᵀδ_i, of shape [in, out] for x [N, in] and δ_i [N, out].
 *
 * <ul>
 *   <li>direct: ‖xᵀδ_i‖_F, one N·in·out product per task;
 *   <li>Gram: ‖xᵀδ_i‖²_F = tr(δ_iᵀ x xᵀ δ_i) = ⟨xxᵀ, δ_iδ_iᵀ⟩, one N²·in product once and one
 *       N²·out product per task, and the gradient itself is never formed.
 * </ul>
 *
 * z is computed once for all tasks; everything lives in the workspace of the backward pass.
 */
final class DenseNormKernel implements NormKernel {

  /** How to get from x and δ_i to the norm. */
  enum Method {
    DIRECT,
    GRAM,
    /** Gram where it takes fewer multiplications. */
    CHEAPEST
  }

  private final DenseLayer layer;
  private final Method method;

  DenseNormKernel(DenseLayer layer, Method method) {
    this.layer = layer;
    this.method = method;
  }

  @Override
  public void addSquaredNorms(
      INDArray[] taskEpsilons, double[] squaredNorms, LayerWorkspaceMgr workspaces) {
    INDArray weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    INDArray x = layer.input().castTo(weights.dataType()); // dropout already applied
    INDArray z = isIdentity() ? null : preActivation(x, weights, workspaces);
    boolean gram = useGram(x.size(0), weights.size(0), weights.size(1), taskEpsilons.length);
    INDArray inputGram = gram ? gram(x, newMatrix(x.size(0), x.size(0), x, workspaces)) : null;
    INDArray deltaGram = gram ? newMatrix(x.size(0), x.size(0), x, workspaces) : null;
    INDArray gradient = null;
    for (int i = 0; i < taskEpsilons.length; i++) {
      if (taskEpsilons[i] == null) {
        continue;
      }
      INDArray delta = delta(z, taskEpsilons[i].castTo(weights.dataType()), workspaces);
      double squared = Double.NaN;
      if (gram) {
        squared = gramNormSquared(inputGram, gram(delta, deltaGram));
      }
      if (Double.isNaN(squared)) {
        if (gradient == null) {
          gradient = newMatrix(weights.size(0), weights.size(1), x, workspaces);
        }
        Nd4j.gemm(x, delta, gradient, true, false, 1.0, 0.0);
        squared = dot(gradient, gradient);
      }
      squaredNorms[i] += squared;
    }
  }

  private boolean useGram(long n, long in, long out, long tasks) {
    return switch (method) {
      case DIRECT -> false;
      case GRAM -> true;
      case CHEAPEST -> n * (in + tasks * out) < tasks * in * out;
    };
  }

  private boolean isIdentity() {
    return layer.layerConf().getActivationFn() instanceof ActivationIdentity;
  }

  /** z = xW + b. */
  private INDArray preActivation(INDArray x, INDArray weights, LayerWorkspaceMgr workspaces) {
    INDArray z = newMatrix(x.size(0), weights.size(1), x, workspaces);
    Nd4j.gemm(x, weights, z, false, false, 1.0, 0.0);
    return layer.hasBias() ? z.addiRowVector(layer.getParam(DefaultParamInitializer.BIAS_KEY)) : z;
  }

  /** δ = ε ⊙ f'(z), with the rows that the layer's mask leaves out set to zero. */
  private INDArray delta(INDArray z, INDArray epsilon, LayerWorkspaceMgr workspaces) {
    INDArray delta = epsilon;
    if (z != null) {
      // An activation's backprop may write into both of its arguments.
      IActivation activation = layer.layerConf().getActivationFn();
      delta = activation.backprop(copy(z, workspaces), copy(epsilon, workspaces)).getFirst();
    }
    INDArray mask = layer.getMaskArray();
    return mask == null ? delta : delta.mulColumnVector(mask.castTo(delta.dataType()));
  }

  /** aaᵀ, written into result. */
  private static INDArray gram(INDArray a, INDArray result) {
    return Nd4j.gemm(a, a, result, false, true, 1.0, 0.0);
  }

  /**
   * ⟨K, D⟩ of two Gram matrices, or NaN where rounding would spoil it. The diagonal alone is Σ_x
   * ‖x‖²‖δ‖², the sum of squared per-example gradient norms; when the examples' gradients cancel,
   * the off-diagonal terms take nearly all of that away again, and with it the digits. Below
   * √(machine epsilon) of the diagonal the caller goes the direct way, which does not suffer.
   */
  private static double gramNormSquared(INDArray k, INDArray d) {
    double squared = dot(k, d);
    double machineEpsilon = k.dataType() == DataType.DOUBLE ? Math.ulp(1.0) : Math.ulp(1.0f);
    double diagonal = dot(diagonal(k), diagonal(d));
    return squared < Math.sqrt(machineEpsilon) * diagonal ? Double.NaN : squared;
  }

  /** A view. */
  private static INDArray diagonal(INDArray square) {
    long n = square.rows();
    return Nd4j.create(square.data(), new long[] {n}, new long[] {n + 1}, square.offset(), 'f');
  }

  /** Σ a∘b by BLAS; ten times as fast as ND4J's norm on a large matrix. */
  static double dot(INDArray a, INDArray b) {
    return Nd4j.getBlasWrapper().dot(a, b);
  }

  private static INDArray newMatrix(
      long rows, long columns, INDArray like, LayerWorkspaceMgr workspaces) {
    return workspaces.createUninitialized(
        ArrayType.BP_WORKING_MEM, like.dataType(), new long[] {rows, columns}, 'f');
  }

  private static INDArray copy(INDArray array, LayerWorkspaceMgr workspaces) {
    return workspaces.dup(ArrayType.BP_WORKING_MEM, array, 'f');
  }
}
