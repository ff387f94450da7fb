package org.gradnorm4j.core.internal.kernel;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasColMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasUpper;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_daxpy;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_ddot;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_dgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_dscal;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_dsyrk;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_saxpy;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sdot;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sscal;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_ssyrk;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.gradnorm4j.core.internal.kernel.NativeAddress.Doubles;
import org.gradnorm4j.core.internal.kernel.NativeAddress.Floats;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Straight to OpenBLAS. Everything is put in column order, as which a matrix in row order is its
 * transpose.
 */
final class OpenBlas extends Blas {
  private final Blas elsewhere = new Nd4jBlas(); // for arrays with gaps, or in different orders

  /** Whether the library can be called: a product of one element. */
  static boolean works() {
    return cblas_ddot(1, new double[] {3}, 1, new double[] {5}, 1) == 15.0;
  }

  @Override
  void gram(INDArray a, INDArray result) {
    int n = (int) a.size(0);
    int k = (int) a.size(1);
    boolean rows = isRowOrder(a); // then it is aᵀ, [k, n], in column order
    int transpose = rows ? CblasTrans : CblasNoTrans;
    int stride = rows ? k : n;
    // The upper triangle in column order is the lower one in row order.
    if (isDouble(a)) {
      cblas_dsyrk(CblasColMajor, CblasUpper, transpose, n, k, 1.0, d(a), stride, 0.0, d(result), n);
    } else {
      cblas_ssyrk(CblasColMajor, CblasUpper, transpose, n, k, 1f, f(a), stride, 0f, f(result), n);
    }
  }

  @Override
  void transposedProduct(INDArray a, INDArray b, INDArray result) {
    int n = (int) a.size(0);
    int k = (int) a.size(1);
    int m = (int) b.size(1);
    boolean aRows = isRowOrder(a);
    boolean bRows = isRowOrder(b);
    int transposeA = aRows ? CblasNoTrans : CblasTrans;
    int transposeB = bRows ? CblasTrans : CblasNoTrans;
    int strideA = aRows ? k : n;
    int strideB = bRows ? m : n;
    if (isDouble(a)) {
      cblas_dgemm(
          CblasColMajor,
          transposeA,
          transposeB,
          k,
          m,
          n,
          1.0,
          d(a),
          strideA,
          d(b),
          strideB,
          0.0,
          d(result),
          k);
    } else {
      cblas_sgemm(
          CblasColMajor,
          transposeA,
          transposeB,
          k,
          m,
          n,
          1f,
          f(a),
          strideA,
          f(b),
          strideB,
          0f,
          f(result),
          k);
    }
  }

  @Override
  public double dot(INDArray a, INDArray b) {
    int length = (int) a.length();
    int strideA = a.rank() == 1 ? a.stride(0) : 1;
    int strideB = b.rank() == 1 ? b.stride(0) : 1;
    return isDouble(a)
        ? cblas_ddot(length, d(a), strideA, d(b), strideB)
        : dot(length, f(a), strideA, f(b), strideB);
  }

  private static double dot(int length, Floats a, int strideA, Floats b, int strideB) {
    double sum = cblas_sdot(length, a, strideA, b, strideB);
    return isInRangeOfFloats(sum) ? sum : dotOfDoubles(length, a, strideA, b, strideB);
  }

  /** What cblas_dsdot should be; OpenBLAS multiplies floats there too. */
  private static double dotOfDoubles(int length, Floats a, int strideA, Floats b, int strideB) {
    FloatBuffer x = a.capacity((length - 1L) * strideA + 1).asBuffer();
    FloatBuffer y = b.capacity((length - 1L) * strideB + 1).asBuffer();
    double sum = 0.0;
    try {
      for (int i = 0; i < length; i++) {
        sum += (double) x.get(i * strideA) * y.get(i * strideB);
      }
      return sum;
    } finally { // the buffers do not hold the arrays
      Reference.reachabilityFence(a);
      Reference.reachabilityFence(b);
    }
  }

  /** The upper triangles are zero: of new arrays, and never written to. */
  @Override
  double dotOfGrams(INDArray a, INDArray b, double diagonal) {
    return 2.0 * dot(a, b) - diagonal;
  }

  @Override
  double squaredNorm(INDArray a, long from, long length) {
    if (isDouble(a)) {
      Doubles part = new Doubles(a, from);
      return cblas_ddot((int) length, part, 1, part, 1);
    }
    Floats part = new Floats(a, from);
    return dot((int) length, part, 1, part, 1);
  }

  @Override
  double dotOfParts(INDArray a, long from, long other, long length) {
    return isDouble(a)
        ? cblas_ddot((int) length, new Doubles(a, from), 1, new Doubles(a, other), 1)
        : cblas_sdot((int) length, new Floats(a, from), 1, new Floats(a, other), 1);
  }

  /** Not with NaN in it. */
  @Override
  boolean factor(INDArray x) {
    return OpenBlasFactor.isRight(x.dataType()) && OpenBlasFactor.factor(x);
  }

  @Override
  void multiplyByFactor(INDArray factor, INDArray a) {
    OpenBlasFactor.multiply(factor, a);
  }

  private static Doubles d(INDArray array) {
    return new Doubles(array, 0);
  }

  @Override
  double diagonalDot(INDArray a, INDArray b) {
    int n = a.rows();
    return isDouble(a) ? cblas_ddot(n, d(a), n + 1, d(b), n + 1) : dot(n, f(a), n + 1, f(b), n + 1);
  }

  @Override
  public void scale(INDArray a, double factor) {
    if (!isGapless(a)) {
      elsewhere.scale(a, factor);
    } else if (isDouble(a)) {
      cblas_dscal((int) a.length(), factor, d(a), 1);
    } else {
      cblas_sscal((int) a.length(), (float) factor, f(a), 1);
    }
  }

  @Override
  public void add(INDArray sum, INDArray a) {
    boolean alike =
        isGapless(sum)
            && Arrays.equals(sum.stride(), a.stride())
            && Arrays.equals(sum.shape(), a.shape())
            && sum.dataType() == a.dataType();
    if (!alike) {
      elsewhere.add(sum, a);
    } else if (isDouble(sum)) {
      cblas_daxpy((int) a.length(), 1.0, d(a), 1, d(sum), 1);
    } else {
      cblas_saxpy((int) a.length(), 1f, f(a), 1, f(sum), 1);
    }
  }

  @Override
  void step(INDArray a, INDArray steps) {
    if (!NativeLoops.step(a, steps)) {
      elsewhere.step(a, steps);
    }
  }

  @Override
  void select(INDArray steps, INDArray values, INDArray result) {
    if (!NativeLoops.select(steps, values, result)) {
      elsewhere.select(steps, values, result);
    }
  }

  @Override
  void multiply(INDArray a, INDArray b, INDArray result) {
    if (!NativeLoops.multiply(a, b, result)) {
      elsewhere.multiply(a, b, result);
    }
  }

  /**
   * Whether the elements of a FLOAT or DOUBLE array fill a piece of memory, in row or column order.
   */
  private static boolean isGapless(INDArray a) {
    boolean known = a.dataType() == DataType.FLOAT || a.dataType() == DataType.DOUBLE;
    return known
        && a.length() <= Integer.MAX_VALUE
        && (NativeLoops.isRowOrder(a) || NativeLoops.isColumnOrder(a));
  }

  private static Floats f(INDArray array) {
    return new Floats(array, 0);
  }
}
