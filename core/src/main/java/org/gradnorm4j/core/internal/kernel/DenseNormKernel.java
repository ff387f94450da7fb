package org.gradnorm4j.core.internal.kernel;

import java.util.Arrays;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.params.DefaultParamInitializer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Norm kernel of a dense layer a = f(z), z = xW + b. With ε_i the epsilon of task i and δ_i = ε_i ⊙
 * f'(z), the gradient is ∇_W S_i = xᵀδ_i, of shape [in, out] for x [N, in] and δ_i [N, out].
 *
 * <ul>
 *   <li>direct: ‖xᵀδ_i‖_F, one product per task, or one for all tasks, whose δ_i stand side by side
 *       as [δ_1 … δ_T], where the products are so small that calling them is what costs;
 *   <li>Gram: ‖xᵀδ_i‖²_F = tr(δ_iᵀ x xᵀ δ_i) = ⟨xxᵀ, δ_iδ_iᵀ⟩, one symmetric product for x and one
 *       per task, and the gradient itself is never formed.
 * </ul>
 *
 * {@link #method} chooses. {@link DenseGram} has the inner products of different tasks. The arrays
 * that take results are kept from step to step.
 */
public final class DenseNormKernel implements NormKernel {

  /** How to get from x and δ_i to the norms. */
  public enum Method {
    DIRECT,
    STACKED,
    GRAM,
    /** Whichever takes the least time by the cost model. */
    CHEAPEST
  }

  /** Multiplications that take as long as calling a product at all: some 2 µs at 50 GFLOP/s. */
  static final double CALL = 100_000;

  /** Stacking needs T·in·out elements for its result: no more than this many. */
  static final long MOST_STACKED = 1 << 20;

  /** And N·T·out for the δ_i: no more than this many, 16 MB of floats. */
  static final long MOST_DELTAS = 1 << 22;

  private final DenseLayer layer;
  private final Method configured;
  private final ActivationDerivative activation;
  private final DenseBackward backward;
  private final KeptArray oneDelta = new KeptArray('c');
  private final KeptArray allDeltas = new KeptArray('c');
  private INDArray columnsOf;
  private INDArray[] columns;
  private final KeptArray gradients = new KeptArray('f');
  private final KeptArray inputGrams = new KeptArray('c');
  private final KeptArray deltaGrams = new KeptArray('c');
  private final DenseGram products;

  /** With a bound, in elements, on what stands for the gradients at a time. */
  DenseNormKernel(DenseLayer layer, Method method, long mostElements) {
    this.layer = layer;
    this.configured = method;
    this.products = new DenseGram(method, mostElements);
    this.activation = new ActivationDerivative(layer.layerConf().getActivationFn());
    this.backward = new DenseBackward(layer, activation);
  }

  /**
   * The cost model, in multiplications and {@link #CALL}s. A symmetric product takes half of one
   * that is not, and its inner product two calls more.
   */
  private Method method(double n, double in, double out, double tasks) {
    if (configured != Method.CHEAPEST) {
      return configured;
    }
    double direct = tasks * (n * in * out + 3 * CALL);
    double stacked = tasks * (n * in * out + 2 * CALL) + CALL;
    double gram = n * n * (in + tasks * out) / 2 + (4 * tasks + 1) * CALL;
    boolean stacks = tasks * in * out <= MOST_STACKED && n * tasks * out <= MOST_DELTAS;
    if (gram < direct) {
      return stacks && stacked < gram ? Method.STACKED : Method.GRAM;
    }
    return stacks ? Method.STACKED : Method.DIRECT;
  }

  @Override
  public void forward(INDArray output) {
    backward.forget();
    activation.forward(output, isFused() ? layer.input() : null);
  }

  /** Masks are left to the layer itself. */
  private boolean isFused() {
    return layer.getMaskArray() == null;
  }

  @Override
  public Pair<Gradient, INDArray> backward(INDArray epsilon, LayerWorkspaceMgr workspaces) {
    if (!isFused()) {
      backward.forget();
      return null;
    }
    return backward.run(epsilon, workspaces);
  }

  @Override
  public void addSquaredNorms(
      INDArray[] taskEpsilons, double[] squaredNorms, LayerWorkspaceMgr workspaces) {
    backward.forgetProduct(); // of another step
    INDArray weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    INDArray x = Blas.dense(layer.input().castTo(weights.dataType())); // dropout already applied
    long in = weights.size(0);
    long out = weights.size(1);
    DenseDeltas deltas = deltas(taskEpsilons, workspaces);
    switch (method(x.size(0), in, out, taskEpsilons.length)) {
      case STACKED -> stacked(x, in, out, deltas, squaredNorms);
      case GRAM -> gram(x, in, out, deltas, squaredNorms);
      default -> {
        for (int i = 0; i < taskEpsilons.length; i++) {
          if (taskEpsilons[i] != null) {
            squaredNorms[i] += direct(x, in, out, deltas.of(i));
          }
        }
      }
    }
  }

  @Override
  public void addGram(INDArray[] taskEpsilons, double[][] gram, LayerWorkspaceMgr workspaces) {
    backward.forgetProduct(); // of another step
    INDArray weights = layer.getParam(DefaultParamInitializer.WEIGHT_KEY);
    INDArray x = Blas.dense(layer.input().castTo(weights.dataType())); // dropout already applied
    products.add(x, weights.size(1), deltas(taskEpsilons, workspaces), gram);
  }

  private DenseDeltas deltas(INDArray[] taskEpsilons, LayerWorkspaceMgr workspaces) {
    if (!activation.isIdentity()) {
      activation.at(backward.preActivation(workspaces));
    }
    return new DenseDeltas(layer, activation, oneDelta, taskEpsilons);
  }

  /** ‖xᵀδ‖². */
  private double direct(INDArray x, long in, long out, INDArray delta) {
    INDArray gradient = gradients.sized(x.dataType(), in, out);
    Blas.INSTANCE.transposedProduct(x, Blas.dense(delta), gradient);
    return Blas.INSTANCE.dot(gradient, gradient);
  }

  /** xᵀ[δ_1 … δ_T] in one product; in column order each task's part lies in one piece. */
  private void stacked(INDArray x, long in, long out, DenseDeltas deltas, double[] squaredNorms) {
    int tasks = squaredNorms.length;
    INDArray all = allDeltas.sized(x.dataType(), x.size(0), tasks * out);
    if (columnsOf != all) {
      columnsOf = all;
      columns = new INDArray[tasks];
      Arrays.setAll(columns, i -> columns(all, i * out, out));
    }
    for (int i = 0; i < tasks; i++) {
      deltas.into(columns[i], i);
    }
    INDArray gradient = gradients.sized(x.dataType(), in, tasks * out);
    Blas.INSTANCE.transposedProduct(x, all, gradient);
    for (int i = 0; i < tasks; i++) {
      squaredNorms[i] += Blas.INSTANCE.squaredNorm(gradient, i * in * out, in * out);
    }
  }

  private void gram(INDArray x, long in, long out, DenseDeltas deltas, double[] squaredNorms) {
    long n = x.size(0);
    INDArray inputGram = inputGrams.sized(x.dataType(), n, n);
    INDArray deltaGram = deltaGrams.sized(x.dataType(), n, n);
    Blas.INSTANCE.gram(x, inputGram);
    for (int i = 0; i < squaredNorms.length; i++) {
      if (deltas.isThere(i)) {
        INDArray delta = Blas.dense(deltas.of(i));
        Blas.INSTANCE.gram(delta, deltaGram);
        double squared = gramNormSquared(inputGram, deltaGram);
        if (!Double.isNaN(squared)) {
          squaredNorms[i] += squared;
        } else if (Blas.INSTANCE.dot(delta, delta) != 0.0) { // zero if the task is absent
          squaredNorms[i] += direct(x, in, out, delta);
        }
      }
    }
  }

  /**
   * ⟨K, D⟩ of two Gram matrices, or NaN where rounding would spoil it. The diagonal alone is Σ_x
   * ‖x‖²‖δ‖², the sum of squared per-example gradient norms; when the examples' gradients cancel,
   * the off-diagonal terms take nearly all of that away again, and with it the digits. Below
   * √(machine epsilon) of the diagonal the caller goes the direct way, which does not suffer; so it
   * does where K and D, squares of floats, are too large or small for floats.
   */
  private static double gramNormSquared(INDArray k, INDArray d) {
    double diagonal = Blas.INSTANCE.diagonalDot(k, d);
    double squared = Blas.INSTANCE.dotOfGrams(k, d, diagonal);
    boolean isDouble = Blas.isDouble(k);
    double machineEpsilon = isDouble ? Math.ulp(1.0) : Math.ulp(1.0f);
    boolean isSound =
        squared >= Math.sqrt(machineEpsilon) * diagonal
            && (isDouble || Blas.isInRangeOfFloats(squared));
    return isSound ? squared : Double.NaN;
  }

  /** A view of some columns of an array in row order. */
  static INDArray columns(INDArray array, long from, long count) {
    return Nd4j.create(
        array.data(),
        new long[] {array.size(0), count},
        new long[] {array.size(1), 1},
        array.offset() + from,
        'c');
  }
}
