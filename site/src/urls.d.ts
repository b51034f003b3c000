/** Addresses of files that the bundler copies. */
declare module '*?url' {
  const url: string;
  export default url;
}
