import CSQLite

extension Connection {
  /// Cuts the file to nothing, past SQLite, once it has lost its name to another: who has opened it meanwhile, and waits for its
  /// lock, is not to write to what is removed when it is closed.
  ///
  /// One that has another name, a hard link that somebody has made, is that one's and stays as it is.
  /// - Parameter file: the one that is open here, from before it lost its name.
  func emptyFile(ifNameless file: FileReference?) {
    guard let file, file.isNameless else { return }
    var opened: UnsafeMutablePointer<sqlite3_file>?
    guard sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &opened) == SQLITE_OK, let opened,
      let methods = opened.pointee.pMethods
    else { return }
    _ = methods.pointee.xTruncate(opened, 0)
  }
}
