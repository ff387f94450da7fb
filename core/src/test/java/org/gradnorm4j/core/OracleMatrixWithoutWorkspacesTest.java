package org.gradnorm4j.core;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} with workspaces off. */
class OracleMatrixWithoutWorkspacesTest extends OracleMatrix {
  @Override
  WorkspaceMode workspaces() {
    return WorkspaceMode.NONE;
  }
}
