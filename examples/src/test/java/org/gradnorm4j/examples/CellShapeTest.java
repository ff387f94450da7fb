package org.gradnorm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CellShapeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          NUMBER | 0
          NUMBER | -1.5e3
          NUMBER | .5
          NUMBER | 7.
          NUMBER | 1.234
          NUMBER | 20240131
          NOT_FINITE | NaN
          NOT_FINITE | -inf
          NOT_FINITE | 1e999
          DATE | 2024-01-31
          DATE | 2024-1
          DATE | 2024/01/31
          DATE | 31.01.2024
          DATE | 1/31/24
          DATE | 2024-01-31T23:59:00Z
          DATE | 2024-01-31 23:59
          DATE | 23:59:01.5
          THOUSANDS | 20,123
          THOUSANDS | -1,234,567.89
          THOUSANDS | 1.234.567
          THOUSANDS | 1.234,5
          THOUSANDS | 1 234
          THOUSANDS | 1'234.5
          DECIMAL_COMMA | 3,5
          DECIMAL_COMMA | -12,0001
          OTHER_SIGNS | −5
          OTHER_SIGNS | ٣٤
          PERCENT | 5%
          PERCENT | 12.5 %
          UNIT | 12kg
          UNIT | 12.5 km/h
          UNIT | $1,200.00
          UNIT | € 3
          UNIT | 3 €
          UNIT | 21°C
          MISSING | n/a
          MISSING | NULL
          MISSING | -
          MISSING | –
          TEXT | red
          TEXT | A12
          TEXT | 3+
          TEXT | 10-19
          TEXT | 192.168.0.1
          TEXT | 555-1234
          """)
  void shape(CellShape shape, String cell) {
    assertThat(CellShape.of(cell)).isEqualTo(shape);
  }
}
