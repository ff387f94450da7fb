package org.gradnorm4j.core.internal.kernel;

import org.gradnorm4j.core.internal.kernel.DenseDeltas.Units;
import org.gradnorm4j.core.internal.kernel.DenseNormKernel.Method;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The inner products ⟨xᵀδ_i, xᵀδ_j⟩ of a dense layer's gradients, for {@link DenseNormKernel}.
 *
 * <ul>
 *   <li>direct or stacked: the gradients are formed, one task's below the other's, and multiplied
 *       with each other;
 *   <li>Gram: with xᵀ = QR the columns of Q are an orthonormal basis of what x spans, and xᵀδ_i =
 *       Q(Rδ_i): the coordinates Rδ_i, of shape [N, out], have the same inner products. R is
 *       triangular, so that they take half a product, and there is less of them for N &lt; in. For
 *       N &gt; in there is no such R.
 * </ul>
 *
 * {@link #method} chooses. If what stands for all gradients is more than a bound, a part of the
 * output's units is taken at a time.
 */
final class DenseGram {
  /** How much longer a reflection's multiplications take than a product's, in OpenBLAS. */
  private static final double REFLECTION = 3.0;

  private final Method configured;
  private final long mostElements;
  private final KeptArray factors = new KeptArray('c');
  private final KeptArray allDeltas = new KeptArray('c');
  private final TaskRows rows = new TaskRows();

  /** With the bound, in elements. */
  DenseGram(Method configured, long mostElements) {
    this.configured = configured;
    this.mostElements = mostElements;
  }

  /**
   * The cost model, in multiplications and calls as that of the norms. N²(in − N/3) are the
   * multiplications of the reflections that make R.
   */
  private Method method(double n, double in, double out, double tasks) {
    boolean stacks =
        tasks * in * out <= DenseNormKernel.MOST_STACKED
            && n * tasks * out <= DenseNormKernel.MOST_DELTAS;
    double formed = tasks * n * in * out + tasks * tasks * in * out / 2;
    double direct = formed + (stacks ? tasks + 1 : 2 * tasks) * DenseNormKernel.CALL;
    double gram =
        REFLECTION * n * n * (in - n / 3)
            + n * n * tasks * out / 2
            + tasks * tasks * n * out / 2
            + (2 * tasks + 1) * DenseNormKernel.CALL;
    if (configured != Method.CHEAPEST) {
      return configured == Method.GRAM && n > in ? Method.DIRECT : configured;
    }
    if (n <= in && gram < direct) {
      return Method.GRAM;
    }
    return stacks ? Method.STACKED : Method.DIRECT;
  }

  /**
   * Adds them.
   *
   * @param x [N, in], dense; not modified
   * @param out width of the layer
   * @param gram one row and column per task. Modified.
   */
  void add(INDArray x, long out, DenseDeltas deltas, double[][] gram) {
    int[] tasks = deltas.present();
    if (tasks.length == 0) {
      return;
    }
    long n = x.size(0);
    long in = x.size(1);
    Method method = method(n, in, out, tasks.length);
    INDArray factor = method == Method.GRAM ? factor(x) : null;
    long depth = factor == null ? in : n;
    long most = TaskRows.parts(mostElements, tasks.length, depth, out);
    for (long from = 0; from < out; from += most) {
      Units units = new Units(from, Math.min(most, out - from), out);
      rows.begin(x.dataType(), tasks.length, depth * units.count());
      if (factor != null) {
        coordinates(factor, deltas, tasks, units);
      } else if (method == Method.STACKED) {
        stackedGradients(x, deltas, tasks, units);
      } else {
        gradients(x, deltas, tasks, units);
      }
      rows.addProducts(tasks, gram);
    }
  }

  /** R of xᵀ = QR; null if that cannot be had. */
  private INDArray factor(INDArray x) {
    INDArray factor = factors.sized(x.dataType(), x.shape()).assign(x);
    return Blas.INSTANCE.factor(factor) ? factor : null;
  }

  /** Rδ_i, [N, units]. */
  private void coordinates(INDArray factor, DenseDeltas deltas, int[] tasks, Units units) {
    for (int i = 0; i < tasks.length; i++) {
      INDArray row = rows.view(i, 'c', factor.size(0), units.count());
      deltas.into(row, tasks[i], units);
      Blas.INSTANCE.multiplyByFactor(factor, row);
    }
  }

  /** xᵀδ_i, one by one. */
  private void gradients(INDArray x, DenseDeltas deltas, int[] tasks, Units units) {
    for (int i = 0; i < tasks.length; i++) {
      INDArray delta = Blas.dense(deltas.of(tasks[i], units));
      INDArray row = rows.view(i, 'f', x.size(1), units.count());
      Blas.INSTANCE.transposedProduct(x, delta, row);
    }
  }

  /** xᵀ[δ_1 … δ_T]. */
  private void stackedGradients(INDArray x, DenseDeltas deltas, int[] tasks, Units units) {
    INDArray all = allDeltas.sized(x.dataType(), x.size(0), tasks.length * units.count());
    for (int i = 0; i < tasks.length; i++) {
      deltas.into(DenseNormKernel.columns(all, i * units.count(), units.count()), tasks[i], units);
    }
    INDArray gradient = rows.view(0, 'f', x.size(1), tasks.length * units.count());
    Blas.INSTANCE.transposedProduct(x, all, gradient);
  }
}
