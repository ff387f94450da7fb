package org.gradnorm4j.core.internal.kernel;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinearDerivative;
import org.nd4j.linalg.api.ops.impl.scalar.Step;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The arithmetic of the norm kernels, on FLOAT or DOUBLE arrays. By the OpenBLAS that the CPU
 * backend has loaded, called directly, and by loops over its memory: a symmetric product needs half
 * the multiplications, and ND4J's dispatch, which costs more than a small product, is left out. By
 * ND4J on any other backend. Both give the same bits where only elements are combined.
 */
public abstract class Blas {
  @SuppressWarnings("ClassInitializationDeadlock") // nothing else makes a subclass
  public static final Blas INSTANCE = isOpenBlasLoaded() ? new OpenBlas() : new Nd4jBlas();

  /**
   * aaᵀ, for {@link #dotOfGrams}: the lower triangle of result at least.
   *
   * @param a [n, k], dense; not modified
   * @param result [n, n], in row order; modified
   */
  abstract void gram(INDArray a, INDArray result);

  /**
   * aᵀb.
   *
   * @param a [n, k], dense; not modified
   * @param b [n, m], dense; not modified
   * @param result [k, m], in column order; modified
   */
  abstract void transposedProduct(INDArray a, INDArray b, INDArray result);

  /**
   * Σ a∘b over elements in the order in which they lie in memory. In the precision of the elements,
   * but with the range of a double: sums of squared floats end at 10³⁸, norms of 10¹⁹.
   *
   * @param a dense, or a vector with one stride; not modified
   * @param b the same; not modified
   */
  public abstract double dot(INDArray a, INDArray b);

  /**
   * ⟨a, b⟩ of two results of {@link #gram}.
   *
   * @param diagonal what their diagonals contribute
   */
  abstract double dotOfGrams(INDArray a, INDArray b, double diagonal);

  /** Σ a∘a over a part of what lies in memory; range as in {@link #dot}. */
  abstract double squaredNorm(INDArray a, long from, long length);

  /** Σ over the products of two parts of what lies in memory, in precision and range of a. */
  abstract double dotOfParts(INDArray a, long from, long other, long length);

  /**
   * The triangular factor R of xᵀ = QR, n ≤ k, by reflections.
   *
   * @param x [n, k], in row order; its lower triangle takes Rᵀ, the rest is spoiled
   * @return whether it was done; if not, x is spoiled
   */
  abstract boolean factor(INDArray x);

  /**
   * a ← Ra.
   *
   * @param factor of {@link #factor}; not modified
   * @param a [n, m], in row order; modified
   */
  abstract void multiplyByFactor(INDArray factor, INDArray a);

  /** Σ a∘b over the diagonals of two square arrays in row order; range as in {@link #dot}. */
  abstract double diagonalDot(INDArray a, INDArray b);

  /**
   * a ← factor·a.
   *
   * @param a modified
   */
  public abstract void scale(INDArray a, double factor);

  /**
   * sum ← sum + a, each element rounded once.
   *
   * @param sum modified
   * @param a of the same shape; not modified
   */
  public abstract void add(INDArray sum, INDArray a);

  /** See {@link NativeLoops#step}. */
  abstract void step(INDArray a, INDArray steps);

  /** See {@link NativeLoops#select}. */
  abstract void select(INDArray steps, INDArray values, INDArray result);

  /** See {@link NativeLoops#multiply}. */
  abstract void multiply(INDArray a, INDArray b, INDArray result);

  /** Whether elements lie without gaps in row or column order, as these products want them. */
  static boolean isDense(INDArray a) {
    return a.rank() == 2
        && ((a.stride(1) == 1 && a.stride(0) == a.size(1))
            || (a.stride(0) == 1 && a.stride(1) == a.size(0)));
  }

  /** The array, or a dense copy in the current workspace. */
  static INDArray dense(INDArray a) {
    return isDense(a) ? a : a.dup('c');
  }

  static boolean isRowOrder(INDArray a) {
    return a.stride(1) == 1 && a.stride(0) == a.size(1);
  }

  private static boolean isOpenBlasLoaded() {
    try {
      return Nd4j.getBackend().getClass().getSimpleName().equals("CpuBackend") && OpenBlas.works();
    } catch (LinkageError e) { // not on the class path, or not for this system
      return false;
    }
  }

  /** Through ND4J, on any backend. */
  static final class Nd4jBlas extends Blas {
    @Override
    void gram(INDArray a, INDArray result) {
      Nd4j.gemm(a, a, result.transpose(), false, true, 1.0, 0.0);
    }

    @Override
    void transposedProduct(INDArray a, INDArray b, INDArray result) {
      Nd4j.gemm(a, b, result, true, false, 1.0, 0.0);
    }

    @Override
    public double dot(INDArray a, INDArray b) {
      double sum = Nd4j.getBlasWrapper().dot(a, b);
      return isDouble(a) || isInRangeOfFloats(sum)
          ? sum
          : Nd4j.getBlasWrapper().dot(a.castTo(DataType.DOUBLE), b.castTo(DataType.DOUBLE));
    }

    @Override
    double dotOfGrams(INDArray a, INDArray b, double diagonal) {
      return dot(a, b);
    }

    @Override
    double diagonalDot(INDArray a, INDArray b) {
      return dot(diagonal(a), diagonal(b));
    }

    /** A view. */
    private static INDArray diagonal(INDArray square) {
      long n = square.rows();
      return Nd4j.create(square.data(), new long[] {n}, new long[] {n + 1}, square.offset(), 'c');
    }

    @Override
    public void scale(INDArray a, double factor) {
      a.muli(factor);
    }

    @Override
    public void add(INDArray sum, INDArray a) {
      sum.addi(a);
    }

    @Override
    void step(INDArray a, INDArray steps) {
      Nd4j.exec(new Step(a, steps, 0.0));
    }

    @Override
    void select(INDArray steps, INDArray values, INDArray result) {
      Nd4j.exec(new RectifiedLinearDerivative(steps, values, result, 0.0));
    }

    @Override
    void multiply(INDArray a, INDArray b, INDArray result) {
      Nd4j.exec(new MulOp(a, b, result));
    }

    @Override
    double squaredNorm(INDArray a, long from, long length) {
      INDArray part = part(a, from, length);
      return dot(part, part);
    }

    @Override
    double dotOfParts(INDArray a, long from, long other, long length) {
      return Nd4j.getBlasWrapper().dot(part(a, from, length), part(a, other, length));
    }

    private static INDArray part(INDArray a, long from, long length) {
      return Nd4j.create(a.data(), new long[] {length}, new long[] {1}, a.offset() + from, 'c');
    }

    /** Not all backends have one. */
    @Override
    boolean factor(INDArray x) {
      return false;
    }

    @Override
    void multiplyByFactor(INDArray factor, INDArray a) {
      throw new UnsupportedOperationException("there is no factor");
    }
  }

  /**
   * Whether a sum of products of floats, none of them negligible, was neither too large nor small.
   */
  static boolean isInRangeOfFloats(double sum) {
    return Math.abs(sum) > 1e-30 && Math.abs(sum) < 1e37;
  }

  static boolean isDouble(INDArray a) {
    return a.dataType() == DataType.DOUBLE;
  }
}
