package org.gradnorm4j.ui;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** What means this machine, and nothing else. No name server is asked. */
final class Loopback {
  private static final Pattern HOST =
      Pattern.compile(
          "(?:localhost|(127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})|\\[([\\p{XDigit}:.]+)])(?::\\d*)?",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern ADDRESS =
      Pattern.compile("[\\d.]+|[\\p{XDigit}:.]*:[\\p{XDigit}:.]*");

  private Loopback() {}

  /** Whether a Host header names it, with a port or without; null if there is none. */
  static boolean isHost(String header) {
    if (header == null) {
      return false;
    }
    var host = HOST.matcher(header);
    if (!host.matches()) {
      return false;
    }
    String address = host.group(1) != null ? host.group(1) : host.group(2);
    return address == null || isAddress(address);
  }

  /** Whether an address in digits is one of its own. */
  static boolean isAddress(String address) {
    try {
      return ADDRESS.matcher(address).matches()
          && InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
