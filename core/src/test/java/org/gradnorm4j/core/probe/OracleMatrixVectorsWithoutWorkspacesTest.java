package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on vectors, with workspaces off. */
class OracleMatrixVectorsWithoutWorkspacesTest extends OracleMatrix {
  OracleMatrixVectorsWithoutWorkspacesTest() {
    super(VECTORS, WorkspaceMode.NONE);
  }
}
