package org.gradnorm4j.persist;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
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

  /** The text of an object without its end, and the end. */
  static String close(String open) {
    return open + BEFORE + sha256(open) + AFTER;
  }

  static boolean isIntact(String text) {
    int end = text.length() - LENGTH;
    return end >= 0 && text.equals(close(text.substring(0, end)));
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
