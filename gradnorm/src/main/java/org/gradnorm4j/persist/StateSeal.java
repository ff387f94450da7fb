package org.gradnorm4j.persist;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The end of a state file. It has the SHA-256 of all before it: a file that was cut short, or
 * changed by accident, is known as such. It is no signature.
 */
final class StateSeal {
  static final String KEY = "sha256";

  private static final String BEFORE = ",\n  \"" + KEY + "\": \"";
  private static final String AFTER = "\"\n}\n";
  private static final int LENGTH = BEFORE.length() + 64 + AFTER.length();

  private StateSeal() {}

  /** The file of an object without its end, and the end. */
  static byte[] close(String open) {
    byte[] text = open.getBytes(StandardCharsets.UTF_8);
    byte[] end = end(text, text.length);
    byte[] file = Arrays.copyOf(text, text.length + end.length);
    System.arraycopy(end, 0, file, text.length, end.length);
    return file;
  }

  static boolean isIntact(byte[] file) {
    int length = file.length - LENGTH;
    return length >= 0 && Arrays.equals(file, length, file.length, end(file, length), 0, LENGTH);
  }

  private static byte[] end(byte[] file, int length) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(file, 0, length);
      String digest = HexFormat.of().formatHex(sha256.digest());
      return (BEFORE + digest + AFTER).getBytes(StandardCharsets.UTF_8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
