import ArgumentParser

/// Takes a file that was named without `--database`, to say so.
struct MisplacedFile: ParsableArguments {
  @Argument(help: .hidden)
  var misplaced: [String] = []

  /// Not a part of validating: an option that is unknown is to be told before what stands behind it.
  func refuse() throws(CommandFailure) {
    guard let file = misplaced.first else { return }
    throw CommandFailure("name the file with --database \(ShellWord.quoted(file))", status: .usage)
  }
}
