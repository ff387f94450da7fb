package org.gradnorm4j.core.internal.kernel;

import static org.bytedeco.openblas.global.openblas.LAPACKE_dgeqrf;
import static org.bytedeco.openblas.global.openblas.LAPACKE_sgeqrf;
import static org.bytedeco.openblas.global.openblas.LAPACK_COL_MAJOR;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasColMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasNonUnit;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRight;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasUpper;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_dtrmm;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_strmm;

import java.util.Random;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.gradnorm4j.core.internal.kernel.NativeAddress.Doubles;
import org.gradnorm4j.core.internal.kernel.NativeAddress.Floats;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The triangular factor R of xᵀ = QR, and products with it, by parts of OpenBLAS that are loaded
 * with the first use.
 *
 * <p>They are tried out before, on random numbers: in OpenBLAS 0.3.19, which ND4J 1.0.0-M2.1
 * brings, the kernel SkylakeX multiplies triangular matrices of doubles wrongly, and R is wrong as
 * well. A CPU with AVX-512 gets that kernel by itself or by OPENBLAS_CORETYPE.
 */
final class OpenBlasFactor {
  /** Large enough for R to be made block by block. */
  private static final int N = 160;

  private static final int K = 192;
  private static final int M = 20;

  private static final boolean FLOATS_ARE_RIGHT = areRight(DataType.FLOAT);
  private static final boolean DOUBLES_ARE_RIGHT = areRight(DataType.DOUBLE);

  private OpenBlasFactor() {}

  /** Whether {@link #factor} and {@link #multiply} are to be used on arrays of this type. */
  static boolean isRight(DataType type) {
    return type == DataType.DOUBLE ? DOUBLES_ARE_RIGHT : FLOATS_ARE_RIGHT;
  }

  /** See {@link Blas#factor}. In row order x is xᵀ in column order. */
  static boolean factor(INDArray x) {
    int n = (int) x.size(0);
    int k = (int) x.size(1);
    if (Blas.isDouble(x)) {
      try (DoublePointer reflections = new DoublePointer(n)) {
        return LAPACKE_dgeqrf(LAPACK_COL_MAJOR, k, n, new Doubles(x, 0), k, reflections) == 0;
      }
    }
    try (FloatPointer reflections = new FloatPointer(n)) {
      return LAPACKE_sgeqrf(LAPACK_COL_MAJOR, k, n, new Floats(x, 0), k, reflections) == 0;
    }
  }

  /** See {@link Blas#multiplyByFactor}. In row order a is aᵀ in column order: aᵀ ← aᵀRᵀ. */
  static void multiply(INDArray factor, INDArray a) {
    int n = (int) a.size(0);
    int m = (int) a.size(1);
    int stride = (int) factor.size(1);
    if (Blas.isDouble(a)) {
      cblas_dtrmm(
          CblasColMajor,
          CblasRight,
          CblasUpper,
          CblasTrans,
          CblasNonUnit,
          m,
          n,
          1.0,
          new Doubles(factor, 0),
          stride,
          new Doubles(a, 0),
          m);
    } else {
      cblas_strmm(
          CblasColMajor,
          CblasRight,
          CblasUpper,
          CblasTrans,
          CblasNonUnit,
          m,
          n,
          1f,
          new Floats(factor, 0),
          stride,
          new Floats(a, 0),
          m);
    }
  }

  /** On arrays of this type. */
  @SuppressWarnings("try") // the scope is there to be open, not to be named
  private static boolean areRight(DataType type) {
    Random random = new Random(1);
    double[] x = random.doubles((long) N * K, -1.0, 1.0).toArray();
    double[] a = random.doubles((long) N * M, -1.0, 1.0).toArray();
    try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
        INDArray factor = Nd4j.createFromArray(x).castTo(type).reshape('c', N, K);
        INDArray product = Nd4j.createFromArray(a).castTo(type).reshape('c', N, M)) {
      if (!factor(factor)) {
        return false;
      }
      multiply(factor, product);
      double tolerance = type == DataType.DOUBLE ? 1e-10 : 1e-3;
      return isFactor(x, factor.data().asDouble(), tolerance)
          && isProduct(factor.data().asDouble(), a, product.data().asDouble(), tolerance);
    } catch (LinkageError e) { // built without
      return false;
    }
  }

  /** RᵀR = xxᵀ. */
  private static boolean isFactor(double[] x, double[] factor, double tolerance) {
    for (int i = 0; i < N; i++) {
      for (int j = 0; j <= i; j++) {
        double difference = 0.0;
        for (int k = 0; k < K; k++) {
          difference += x[i * K + k] * x[j * K + k];
          difference -= k <= j ? factor[i * K + k] * factor[j * K + k] : 0.0;
        }
        if (!(Math.abs(difference) < tolerance)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isProduct(
      double[] factor, double[] a, double[] product, double tolerance) {
    for (int i = 0; i < N; i++) {
      for (int m = 0; m < M; m++) {
        double difference = product[i * M + m];
        for (int k = i; k < N; k++) {
          difference -= factor[k * K + i] * a[k * M + m];
        }
        if (!(Math.abs(difference) < tolerance)) {
          return false;
        }
      }
    }
    return true;
  }
}
